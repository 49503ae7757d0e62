import type { EventOf, Machine, Snapshot } from '@nestjs-orchestrator/statechart';
import { RemoteMachineError } from '../cluster/cluster-errors.js';
import type {
  EventResult,
  MachineRef,
  MachineSendOptions,
  RequestOptions,
  WaitOptions,
} from '../machine-ref.js';
import type { KeptMachine } from './kept-machine.js';

/** What users hold of a durable machine, or of one that may be one, where there are no other processes. */
export class KeptRef implements MachineRef {
  readonly #kept: KeptMachine;
  readonly #definition: Machine | undefined;

  constructor(kept: KeptMachine, definition: Machine | undefined) {
    this.#kept = kept;
    this.#definition = definition;
  }

  get id(): string {
    return this.#kept.id;
  }

  get scopedId(): string {
    return this.#kept.address;
  }

  get machine(): Machine {
    if (this.#definition !== undefined) return this.#definition;
    throw new RemoteMachineError(this.id, 'machine', 'Pass the definition: ref(definition, id).');
  }

  send(event: EventOf<Machine>, options?: MachineSendOptions): Promise<void> {
    return this.#kept.send(event, options?.messageId);
  }

  trySend(event: EventOf<Machine>): boolean {
    return this.#kept.trySend(event);
  }

  request(event: EventOf<Machine>, options: RequestOptions = {}): Promise<EventResult> {
    return this.#kept.request(event, options, this.#definition);
  }

  snapshot(): Snapshot {
    throw new RemoteMachineError(this.id, 'snapshot()', 'Await currentSnapshot() instead.');
  }

  currentSnapshot(): Promise<Snapshot> {
    return this.#kept.snapshot(this.#definition);
  }

  async waitFor(
    state: string | ((snapshot: Snapshot) => boolean),
    options: WaitOptions = {},
  ): Promise<Snapshot> {
    if (typeof state !== 'function') return this.#kept.waitFor(state, options, this.#definition);
    const advice = 'Name the state instead of passing a function.';
    throw new RemoteMachineError(this.id, 'waitFor(predicate)', advice);
  }

  stop(): Promise<void> {
    return this.#kept.stop();
  }

  /** The machine behind a ref; undefined for anything else. */
  static keptOf(ref: object): KeptMachine | undefined {
    return #kept in ref ? ref.#kept : undefined;
  }
}
