import {
  deserialize,
  type EventObject,
  type EventOf,
  type Machine,
  type Snapshot,
} from '@nestjs-orchestrator/statechart';
import { parseJson } from '../../../message/json.js';
import {
  MachineStoppedError,
  RequestTimeoutError,
  UnknownMachineError,
  WaitTimeoutError,
} from '../../errors.js';
import type {
  EventResult,
  MachineRef,
  MachineSendOptions,
  RequestOptions,
  WaitOptions,
} from '../../machine-ref.js';
import { assertTimeLimit, limitOnTheWay } from '../../time-limit.js';
import { RemoteMachineError } from '../cluster-errors.js';
import { Posting } from '../link/posting.js';
import { REQUEST, SNAPSHOT, STOP, WAIT } from '../wire/format.js';
import { failureFrom } from '../wire/failure-text.js';
import { RemoteAnswer } from './remote-answer.js';
import { LocalAnswer, PendingQuestion, type QuestionLimits } from './pending-question.js';
import type { RemoteMachine } from './remote-machine.js';

/** What users hold of a machine in another process. If it turns out to be in this one, it is talked to directly. */
export class RemoteRef implements MachineRef {
  readonly #remote: RemoteMachine;
  readonly #definition: Machine | undefined;

  constructor(remote: RemoteMachine, definition: Machine | undefined) {
    this.#remote = remote;
    this.#definition = definition;
    if (definition !== undefined) remote.definition = definition;
  }

  get id(): string {
    return this.#remote.id;
  }

  get scopedId(): string {
    return this.#remote.here?.scopedId ?? this.#remote.address;
  }

  get machine(): Machine {
    const machine = this.#definition ?? this.#remote.here?.kind.machine;
    if (machine !== undefined) return machine;
    throw new RemoteMachineError(this.id, 'machine', 'Pass the definition: ref(definition, id).');
  }

  send(event: EventOf<Machine>, options?: MachineSendOptions): Promise<void> {
    const here = this.#remote.here;
    if (here !== undefined) return here.ref.send(event, options);
    try {
      return this.#remote.send(event, options?.messageId);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  trySend(event: EventOf<Machine>): boolean {
    return this.#remote.here?.ref.trySend(event) ?? this.#remote.trySend(event);
  }

  // Not `async`: the promise of the answer itself is handed over, not one that follows it three turns of the queue of microtasks later.
  request(event: EventOf<Machine>, options: RequestOptions = {}): Promise<EventResult> {
    try {
      const here = this.#remote.here;
      if (here !== undefined) return here.ref.request(event, options);
      options.signal?.throwIfAborted();
      return askRemote(this.#remote, event, options, this.#definition).promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  snapshot(): Snapshot {
    const here = this.#remote.here;
    if (here !== undefined) return here.ref.snapshot();
    throw new RemoteMachineError(this.id, 'snapshot()', 'Await currentSnapshot() instead.');
  }

  async currentSnapshot(): Promise<Snapshot> {
    const here = this.#remote.here;
    if (here !== undefined) return here.ref.snapshot();
    return this.#ask(SNAPSHOT, '', 0, {}, (payload) => this.#snapshotFrom(payload));
  }

  async waitFor(
    state: string | ((snapshot: Snapshot) => boolean),
    options: WaitOptions = {},
  ): Promise<Snapshot> {
    const here = this.#remote.here;
    if (here !== undefined) return here.ref.waitFor(state, options);
    if (typeof state === 'function')
      throw new RemoteMachineError(
        this.id,
        'waitFor(predicate)',
        'Name the state instead of passing a function.',
      );
    assertTimeLimit(options.timeoutMs);
    options.signal?.throwIfAborted();
    const { timeoutMs } = options;
    const limit = timeoutMs === undefined ? 0 : limitOnTheWay(timeoutMs) + 1;
    return this.#ask(WAIT, JSON.stringify(state), limit, options, (payload) => this.#snapshotFrom(payload));
  }

  async stop(): Promise<void> {
    const here = this.#remote.here;
    if (here !== undefined) return here.ref.stop();
    const { settings } = this.#remote.member.core;
    const timeoutMs = settings.requestTimeoutMs + settings.releaseTimeoutMs;
    try {
      await this.#ask(STOP, '', 0, { timeoutMs }, () => {});
    } catch (error) {
      // It is over, as with a machine of this process.
      if (!(error instanceof UnknownMachineError || error instanceof MachineStoppedError)) throw error;
    }
  }

  #ask<T>(
    kind: number,
    text: string,
    limit: number,
    options: WaitOptions,
    read: (payload: unknown) => T,
  ): Promise<T> {
    const remote = this.#remote;
    remote.member.assertOpen();
    const { timeoutMs = kind === WAIT ? undefined : remote.member.core.settings.requestTimeoutMs } = options;
    const question = new PendingWord(remote, kind, text, { timeoutMs, signal: options.signal }, read);
    const posting = new Posting(kind, remote, text, limit, question, undefined);
    question.sent(posting);
    remote.post(posting);
    return question.promise;
  }

  #snapshotFrom(payload: unknown): Snapshot {
    if (payload instanceof LocalAnswer) return payload.result.snapshot;
    return snapshotFrom(this.#remote, this.#definition, payload);
  }

  /** The machine behind a ref; undefined for anything else. */
  static remoteOf(ref: object): RemoteMachine | undefined {
    return #remote in ref ? ref.#remote : undefined;
  }
}

/** Sends a request to another process. */
export function askRemote(
  remote: RemoteMachine,
  event: EventObject,
  options: RequestOptions,
  definition: Machine | undefined,
): PendingQuestion<EventResult> {
  const { member } = remote;
  assertTimeLimit(options.timeoutMs);
  const text = remote.textOf(event, options.messageId);
  remote.assertMayPost(text);
  const { timeoutMs = member.core.settings.requestTimeoutMs, signal } = options;
  const question = new PendingAnswer(remote, event, { timeoutMs, signal }, definition);
  const limit = limitOnTheWay(timeoutMs);
  const posting = new Posting(REQUEST, remote, text, limit, question, event, options.messageId);
  question.sent(posting);
  remote.post(posting);
  return question;
}

/** Something that is asked of a machine of another process. */
abstract class PendingTalk<T> extends PendingQuestion<T> {
  constructor(
    protected readonly remote: RemoteMachine,
    limits: QuestionLimits,
  ) {
    super(remote.member, limits);
  }

  override get address(): string {
    return this.remote.address;
  }

  protected override takeBack(posting: Posting): void {
    this.remote.withdraw(posting);
  }

  protected override notice(error: Error): void {
    this.remote.notice(error);
  }
}

/** The answer to a request. */
class PendingAnswer extends PendingTalk<EventResult> {
  constructor(
    remote: RemoteMachine,
    private readonly event: EventObject,
    limits: QuestionLimits,
    private readonly definition: Machine | undefined,
  ) {
    super(remote, limits);
  }

  protected override read(payload: unknown): EventResult {
    return payload instanceof LocalAnswer
      ? payload.result
      : new RemoteResult(this.remote, this.definition, payload);
  }

  protected override late(withdrawn: boolean): Error {
    return new RequestTimeoutError(this.remote.id, this.event.type, this.timeoutMs as number, withdrawn);
  }
}

/** What is answered to the other words that a machine understands. */
class PendingWord<T> extends PendingTalk<T> {
  constructor(
    remote: RemoteMachine,
    private readonly kind: number,
    private readonly text: string,
    limits: QuestionLimits,
    private readonly reading: (payload: unknown) => T,
  ) {
    super(remote, limits);
  }

  protected override read(payload: unknown): T {
    return this.reading(payload);
  }

  protected override late(withdrawn: boolean): Error {
    const { remote, kind, text } = this;
    const timeoutMs = this.timeoutMs as number;
    if (kind === WAIT) return new WaitTimeoutError(remote.id, text, timeoutMs);
    return new RequestTimeoutError(remote.id, kind === STOP ? 'stop' : 'snapshot', timeoutMs, withdrawn);
  }
}

/**
 * The snapshot is read when it is looked at: most callers want the reply. That throws where it was too large for a frame, or holds what can't be
 * written as text.
 */
class RemoteResult implements EventResult {
  readonly changed: boolean;
  readonly duplicate: boolean;
  readonly reply: unknown;
  readonly #remote: RemoteMachine;
  readonly #definition: Machine | undefined;
  readonly #answer: Readonly<Record<string, unknown>>;
  #snapshot: Snapshot | undefined = undefined;

  constructor(remote: RemoteMachine, definition: Machine | undefined, payload: unknown) {
    const answer = (payload ?? {}) as Readonly<Record<string, unknown>>;
    this.changed = answer['changed'] === true;
    this.duplicate = answer['duplicate'] === true;
    this.reply = answer['reply'];
    this.#remote = remote;
    this.#definition = definition;
    this.#answer = answer;
  }

  get snapshot(): Snapshot {
    return (this.#snapshot ??= snapshotFrom(this.#remote, this.#definition, snapshotIn(this.#answer)));
  }
}

/** @throws whatever it could not be sent for */
function snapshotIn(answer: Readonly<Record<string, unknown>>): unknown {
  if (answer['unsent'] !== undefined) throw failureFrom(answer['unsent']);
  return answer instanceof RemoteAnswer ? parseJson(answer.snapshot) : answer['snapshot'];
}

/** @throws UnknownMachineError where the definition is not registered here; SnapshotError where it is another one */
function snapshotFrom(remote: RemoteMachine, definition: Machine | undefined, payload: unknown): Snapshot {
  const { core } = remote.member;
  const id = String((payload as { readonly machine?: unknown } | null)?.machine);
  const machine = definition ?? core.definitionOf(id);
  if (machine === undefined) throw new UnknownMachineError(id, core.name, 'definition');
  return deserialize(machine, JSON.stringify(payload));
}
