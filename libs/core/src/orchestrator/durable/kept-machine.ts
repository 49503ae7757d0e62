import {
  deserialize,
  type EventObject,
  type Machine,
  serialize,
  type Snapshot,
} from '@nestjs-orchestrator/statechart';
import { toJson } from '../../message/json.js';
import { failureFrom } from '../cluster/wire/failure-text.js';
import {
  MachineStoppedError,
  RequestTimeoutError,
  UnknownMachineError,
  WaitTimeoutError,
} from '../errors.js';
import { assertEvent } from '../event/assert-event.js';
import { assertTimeLimit } from '../time-limit.js';
import type { GroupCore } from '../group/group-core.js';
import type { MachineInstance } from '../instance/machine-instance.js';
import type { EventResult, RequestOptions, WaitOptions } from '../machine-ref.js';
import { DurableRequestError } from './durable-errors.js';
import type { DurableFrame, DurableOutcome } from './durable-frame.js';
import type { DurableMachines } from './durable-machines.js';

/** Its owner is asked again after that time whether a state was reached: it may be another one by then. */
const LOOK_AGAIN_MS = 10_000;
/** Sends of `trySend` that may be on their way to the store or the transport. */
const MOST_UNDER_WAY = 1_024;

/** A durable machine as a group sees it: wherever it is at work, or asleep in its store. */
export class KeptMachine {
  private underWay = 0;

  constructor(
    /** The group that looks at it. */
    private readonly viewer: GroupCore,
    /** The durable machines of its own group. */
    private readonly home: DurableMachines,
    readonly id: string,
  ) {}

  get group(): string {
    return this.home.settings.group;
  }

  get address(): string {
    return `${this.group}/${this.id}`;
  }

  /** Whether there is such a machine, and it has not ended. */
  async isAlive(): Promise<boolean> {
    const found = await this.home.store.load(this.id, '');
    return found !== undefined && !found.ended;
  }

  /** Settles when it is safe. */
  async send(event: EventObject, messageId?: string): Promise<void> {
    await this.told(() => this.home.tell(this.frameOf(event, messageId)));
  }

  trySend(event: EventObject): boolean {
    const frame = this.frameOf(event, undefined);
    if (this.underWay >= MOST_UNDER_WAY) {
      this.viewer.meters.count('throttled', '');
      return false;
    }
    this.underWay += 1;
    this.home
      .tell(frame)
      .catch((error: unknown) => this.undelivered(event, unwrapped(error)))
      .finally(() => (this.underWay -= 1));
    return true;
  }

  /** Of an adopted step: nobody waits for it; what it fails with is reported. */
  sendFromStep(sender: MachineInstance, event: EventObject): void {
    this.send(event).catch((error: unknown) => sender.reportFailure('undeliverable', event, error));
  }

  async request(
    event: EventObject,
    options: RequestOptions,
    definition: Machine | undefined,
  ): Promise<EventResult> {
    return new KeptResult(this, this.viewer, definition, await this.outcomeOf(event, options));
  }

  /** As `request`: the answer as a process of another cluster reads it. */
  async requestText(event: EventObject, options: RequestOptions): Promise<string> {
    const { changed, duplicate, reply, snapshot, unsent } = await this.outcomeOf(event, options);
    const answer = reply === undefined ? '' : `,"reply":${toJson(reply, 'reply')}`;
    const state =
      typeof snapshot === 'string' ? `"snapshot":${snapshot}` : `"unsent":${toJson(unsent, 'reply')}`;
    return `{"changed":${changed},"duplicate":${duplicate},${state}${answer}}`;
  }

  private async outcomeOf(
    event: EventObject,
    { timeoutMs = this.viewer.settings.requestTimeoutMs, signal, messageId }: RequestOptions,
  ): Promise<DurableOutcome> {
    const { viewer } = this;
    assertTimeLimit(timeoutMs);
    const frame = { ...this.frameOf(event, messageId), full: true };
    viewer.pendingRequests += 1;
    try {
      return await this.told(() => this.home.ask(frame, { timeoutMs, signal }));
    } catch (error) {
      if (error instanceof RequestTimeoutError) viewer.meters.count('timedOut', '');
      throw error;
    } finally {
      viewer.pendingRequests -= 1;
    }
  }

  /** @throws UnknownMachineError */
  async snapshot(definition: Machine | undefined): Promise<Snapshot> {
    return (await this.read(definition)).snapshot;
  }

  /** As `snapshot`, as a process of another cluster reads it. */
  async snapshotText(): Promise<string> {
    const { machine, snapshot } = await this.read(undefined);
    return serialize(machine, snapshot);
  }

  private async read(
    definition: Machine | undefined,
  ): Promise<{ readonly machine: Machine; readonly snapshot: Snapshot }> {
    this.viewer.assertOpen();
    const found = await this.home.store.load(this.id, '');
    if (found === undefined) throw new UnknownMachineError(this.id, this.group, 'id');
    const machine = definition ?? this.viewer.definitionOf(found.definition);
    if (machine === undefined)
      throw new UnknownMachineError(found.definition, this.viewer.name, 'definition');
    return { machine, snapshot: found.read(machine).snapshot };
  }

  /** Whoever owns the machine says when it is there; asked again where its owner is lost. */
  async waitFor(state: string, options: WaitOptions, definition?: Machine): Promise<Snapshot> {
    const outcome = await this.reached(state, options);
    return new KeptResult(this, this.viewer, definition, outcome).snapshot;
  }

  /** As `waitFor`, as a process of another cluster reads it. */
  async waitText(state: string, options: WaitOptions): Promise<string> {
    const { snapshot, unsent } = await this.reached(state, options);
    if (typeof snapshot !== 'string') throw failureFrom(unsent);
    return snapshot;
  }

  private async reached(state: string, { timeoutMs, signal }: WaitOptions): Promise<DurableOutcome> {
    const { clock } = this.viewer;
    assertTimeLimit(timeoutMs);
    const until = timeoutMs === undefined ? Infinity : clock.now() + timeoutMs;
    for (;;) {
      const left = until - clock.now();
      const limitMs = Math.max(0, Math.min(left, LOOK_AGAIN_MS));
      const frame: DurableFrame = { ...this.frame('wait'), state, limitMs, full: true };
      const asked = { timeoutMs: Math.min(left, limitMs + LOOK_AGAIN_MS), signal };
      const outcome = await this.asked(frame, asked);
      if (outcome !== undefined && outcome.waiting !== true) return outcome;
      if (clock.now() >= until) throw new WaitTimeoutError(this.id, `'${state}'`, timeoutMs as number);
    }
  }

  /** It ends where it is, and is forgotten: its id is free. */
  async stop(): Promise<void> {
    const { requestTimeoutMs } = this.viewer.settings;
    try {
      await this.told(() => this.home.ask(this.frame('stop'), { timeoutMs: requestTimeoutMs }));
    } catch (error) {
      if (!(error instanceof UnknownMachineError || error instanceof MachineStoppedError)) throw error;
    }
  }

  /** undefined: nobody has answered. */
  private async asked(
    frame: DurableFrame,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<DurableOutcome | undefined> {
    try {
      return await this.told(() => this.home.ask(frame, limits));
    } catch (error) {
      if (error instanceof RequestTimeoutError) return undefined;
      throw error;
    }
  }

  /** What fails at the owner fails here as what it was. */
  private async told<T>(work: () => Promise<T>): Promise<T> {
    this.viewer.assertOpen();
    try {
      return await work();
    } catch (error) {
      throw unwrapped(error);
    }
  }

  /** @throws EventInvalidError, EventPayloadError, GroupReleasedError */
  private frameOf(event: EventObject, messageId: string | undefined): DurableFrame {
    this.viewer.assertOpen();
    assertEvent(event, this.id, this.viewer.settings.maxEventValues);
    return { ...this.frame('event'), event, ...(messageId === undefined ? {} : { messageId }) };
  }

  private frame(kind: DurableFrame['kind']): DurableFrame {
    const { name, settings } = this.viewer;
    const frame = { kind, machine: this.id, messageId: settings.ids.next() };
    return name === this.group ? frame : { ...frame, from: name };
  }

  private undelivered(event: EventObject, error: unknown): void {
    const { viewer } = this;
    viewer.meters.count('failed', '');
    viewer.logger.warn(error instanceof Error ? error.message : String(error), {
      group: viewer.name,
      machine: this.address,
      failure: 'undelivered',
    });
    if (viewer.records.wants('undelivered'))
      viewer.records.tell({ type: 'undelivered', to: this.address, event, error });
  }
}

/** What a request failed with at the owner, as what it was there. */
export function unwrapped(error: unknown): unknown {
  return error instanceof DurableRequestError && error.cause instanceof Error ? error.cause : error;
}

/** The snapshot is read when it is looked at: most callers want the reply. */
class KeptResult implements EventResult {
  readonly changed: boolean;
  readonly duplicate: boolean;
  readonly reply: unknown;
  readonly #snapshot: () => Snapshot;

  constructor(
    machine: KeptMachine,
    viewer: GroupCore,
    definition: Machine | undefined,
    { changed, duplicate, reply, snapshot, unsent }: DurableOutcome,
  ) {
    this.changed = changed;
    this.duplicate = duplicate;
    this.reply = reply;
    let read: Snapshot | undefined;
    this.#snapshot = () => {
      if (unsent !== undefined) throw failureFrom(unsent);
      if (snapshot === undefined) throw new UnknownMachineError(machine.id, machine.group, 'id');
      return (read ??= typeof snapshot === 'string' ? snapshotFrom(viewer, definition, snapshot) : snapshot);
    };
  }

  /** @throws FrameTooLargeError where it did not fit into a frame; UnknownMachineError where the definition is not registered here */
  get snapshot(): Snapshot {
    return this.#snapshot();
  }
}

function snapshotFrom(viewer: GroupCore, definition: Machine | undefined, text: string): Snapshot {
  const id = String((JSON.parse(text) as { readonly machine?: unknown } | null)?.machine);
  const machine = definition ?? viewer.definitionOf(id);
  if (machine === undefined) throw new UnknownMachineError(id, viewer.name, 'definition');
  return deserialize(machine, text);
}
