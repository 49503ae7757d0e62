import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { Cancellable } from '../../ports/clock.js';
import { Outcome, type Stay } from './deliveries.js';
import type { MachineInstance } from './machine-instance.js';

/** Armed, or due and on its way in a mailbox. */
interface Armed {
  timer: Cancellable | undefined;
  outcome: Outcome | undefined;
}

/** Timers of one machine by id: those of states, and delayed events. */
export class TimerTable {
  private readonly armed = new Map<unknown, Armed>();

  constructor(private readonly owner: MachineInstance) {}

  /** Sends `event` to the owner when so much time has passed; one of the same id is replaced. */
  arm(id: string | undefined, delayMs: number, event: EventObject, stay: Stay | undefined): void {
    this.run(id, delayMs, (armed, key) => {
      armed.outcome = new Outcome(stay, () => this.forget(key, armed));
      this.owner.core.deliver(this.owner, event, armed.outcome);
    });
  }

  /** Calls `due` when so much time has passed. */
  call(id: string | undefined, delayMs: number, due: () => void): void {
    this.run(id, delayMs, (armed, key) => {
      this.forget(key, armed);
      due();
    });
  }

  /** Also takes back what is due already and was not handled yet. */
  cancel(id: unknown): void {
    const armed = this.armed.get(id);
    if (armed === undefined) return;
    this.armed.delete(id);
    this.disarm(armed);
    if (armed.outcome !== undefined) this.owner.core.withdraw(this.owner, armed.outcome);
  }

  /** The owner ends, and its mailbox with it. */
  clear(): void {
    for (const armed of this.armed.values()) this.disarm(armed);
    this.armed.clear();
  }

  private run(id: string | undefined, delayMs: number, due: (armed: Armed, key: unknown) => void): void {
    const armed: Armed = { timer: undefined, outcome: undefined };
    const key = id ?? armed;
    this.cancel(key);
    this.armed.set(key, armed);
    this.owner.core.timers += 1;
    armed.timer = this.owner.core.clock.schedule(delayMs, () => {
      this.disarm(armed);
      due(armed, key);
    });
  }

  private disarm(armed: Armed): void {
    if (armed.timer === undefined) return;
    armed.timer.cancel();
    armed.timer = undefined;
    this.owner.core.timers -= 1;
  }

  private forget(key: unknown, armed: Armed): void {
    if (this.armed.get(key) === armed) this.armed.delete(key);
  }
}
