import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { MachineInstance } from '../../instance/machine-instance.js';
import type { Courier } from '../link/in-flight.js';
import type { RemoteMachine } from './remote-machine.js';

/** A send whose sender waits until it is accepted; what comes of it later is reported. */
export class PendingSend implements Courier {
  readonly promise: Promise<void>;
  private resolve!: () => void;
  private reject!: (error: unknown) => void;
  private settled = false;

  constructor(private readonly target: RemoteMachine) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  get address(): string {
    return this.target.address;
  }

  accepted(): void {
    this.settled = true;
    this.resolve();
  }

  ended(error: Error, event: EventObject | undefined): void {
    if (this.settled) {
      this.target.ended(error, event);
      return;
    }
    this.settled = true;
    this.target.notice(error);
    this.reject(error);
  }

  replied(): void {}
}

/** A send of an adopted step: nobody waits for it. */
export class StepSend implements Courier {
  constructor(
    private readonly target: RemoteMachine,
    private readonly sender: MachineInstance,
  ) {}

  get address(): string {
    return this.target.address;
  }

  accepted(): void {}

  replied(): void {}

  ended(error: Error, event: EventObject | undefined): void {
    this.target.notice(error);
    this.sender.reportFailure('undeliverable', event, error);
  }
}
