import { type EventOf, type Machine, matches, type Snapshot } from '@nestjs-orchestrator/statechart';
import { MachineStartingError } from '../errors.js';
import type {
  EventResult,
  MachineRef,
  MachineSendOptions,
  RequestOptions,
  WaitOptions,
} from '../machine-ref.js';
import { assertTimeLimit } from '../time-limit.js';
import type { MachineInstance } from './machine-instance.js';
import { StateWait } from './state-wait.js';

/** What users hold of a machine. */
export class InstanceRef implements MachineRef {
  readonly #instance: MachineInstance;

  constructor(instance: MachineInstance) {
    this.#instance = instance;
  }

  get id(): string {
    return this.#instance.id;
  }

  get scopedId(): string {
    return this.#instance.scopedId;
  }

  get machine(): Machine {
    return this.#instance.kind.machine;
  }

  send(event: EventOf<Machine>, options?: MachineSendOptions): Promise<void> {
    return this.#instance.core.reception.send(this.#instance, event, options?.messageId);
  }

  trySend(event: EventOf<Machine>): boolean {
    return this.#instance.core.reception.trySend(this.#instance, event);
  }

  request(event: EventOf<Machine>, options: RequestOptions = {}): Promise<EventResult> {
    return this.#instance.core.reception.ask(this.#instance, event, options);
  }

  snapshot(): Snapshot {
    const { snapshot, id } = this.#instance;
    if (snapshot === undefined) throw new MachineStartingError(id);
    return snapshot;
  }

  async currentSnapshot(): Promise<Snapshot> {
    return this.snapshot();
  }

  waitFor(state: string | ((snapshot: Snapshot) => boolean), options: WaitOptions = {}): Promise<Snapshot> {
    const instance = this.#instance;
    const holds = typeof state === 'function' ? state : (at: Snapshot): boolean => matches(at, state);
    try {
      assertTimeLimit(options.timeoutMs);
      options.signal?.throwIfAborted();
    } catch (error) {
      return Promise.reject(error);
    }
    const wait = new StateWait(
      instance,
      holds,
      typeof state === 'function' ? 'the state waited for' : `'${state}'`,
      options,
    );
    (instance.waits ??= new Set()).add(wait);
    if (instance.snapshot !== undefined) wait.look(instance.snapshot);
    if (instance.ended !== undefined) wait.fail(instance.closedError());
    return wait.promise;
  }

  stop(): Promise<void> {
    const { core } = this.#instance;
    return core.endings.of(() => this.#instance.end('stopped'));
  }

  /** The machine behind a ref; undefined for anything else. */
  static instanceOf(ref: object): MachineInstance | undefined {
    return #instance in ref ? ref.#instance : undefined;
  }
}
