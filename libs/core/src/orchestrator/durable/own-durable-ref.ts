import type { EventObject, EventOf, Machine, Snapshot } from '@nestjs-orchestrator/statechart';
import { UnknownMachineError } from '../errors.js';
import { assertEvent } from '../event/assert-event.js';
import { assertTimeLimit } from '../time-limit.js';
import type { DurableFrame } from './durable-frame.js';
import type { DurableMachines } from './durable-machines.js';
import type { DurableRef, DurableResult, DurableSendOptions } from './durable-ref.js';

const MOST_VALUES = 10_000;

/** A durable machine as those see it who run durable machines only. */
export class OwnDurableRef<M extends Machine> implements DurableRef<M> {
  constructor(
    private readonly machines: DurableMachines,
    private readonly machine: M,
    readonly id: string,
    private readonly definition: (id: string) => Machine | undefined,
  ) {}

  async send(event: EventOf<M>, options?: DurableSendOptions): Promise<void> {
    await this.machines.tell(this.frameOf(event, options));
  }

  async request(
    event: EventOf<M>,
    options?: DurableSendOptions & { readonly timeoutMs?: number },
  ): Promise<DurableResult> {
    const timeoutMs = options?.timeoutMs ?? this.machines.settings.requestTimeoutMs;
    assertTimeLimit(timeoutMs);
    const { changed, duplicate, reply } = await this.machines.ask(this.frameOf(event, options), {
      timeoutMs,
    });
    return { changed, duplicate, reply };
  }

  async snapshot(): Promise<Snapshot> {
    const found = await this.machines.store.load(this.id, '');
    const machine = this.definition(this.machine.id);
    if (found === undefined || machine === undefined)
      throw new UnknownMachineError(this.id, this.machines.settings.group, 'id');
    return found.read(machine).snapshot;
  }

  private frameOf(given: unknown, options: DurableSendOptions | undefined): DurableFrame {
    const event = given as EventObject;
    assertEvent(event, this.id, MOST_VALUES);
    const messageId = options?.messageId ?? this.machines.settings.ids.next();
    return { kind: 'event', machine: this.id, messageId, event };
  }
}
