import {
  messageTypeOf,
  type Duration,
  type MessageHandler,
  type MessageType,
} from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import type { DeadLetter, InstanceStore, SagaStatus } from '@nestjs-orchestrator/core/ports';
import type {
  AnySaga,
  DataOf,
  SagaBehaviour,
  SagaHistoryEntry,
  SagaInstance,
  StateOf,
} from '@nestjs-orchestrator/core/saga';
import { countedIds } from '../clock/counted-ids.js';
import { seededRandom } from '../clock/seeded-random.js';
import { VirtualClock } from '../clock/virtual-clock.js';
import { matches } from './matches.js';
import { tellingSent, type SentMessage } from './sent-messages.js';
import { story } from './story.js';
import { withDestinations } from './with-destinations.js';

/** Options of {@link testSaga}. */
export interface SagaTestOptions {
  /** Handlers of messages that the saga sends and the test wants to run. Messages without one are recorded and answered by nobody. */
  readonly handlers?: readonly MessageHandler[];
  /** Further sagas that take part. */
  readonly sagas?: readonly SagaBehaviour[];
  /** Tries of a message or a compensation before it is given up. Default 1: what fails is reported by the call that caused it. */
  readonly maxAttempts?: number;
  /** First instant of a clock that is made for the test, in milliseconds since the epoch. Default: 1 January 2030, 00:00 UTC. */
  readonly startAt?: number;
  /** Where the test has one already, as for a provider that `clock.tracked()` made: what that one does that is real, such as a query, is waited for. */
  readonly clock?: VirtualClock;
}

/** Something expected of a saga that is not so. The message tells what has happened instead. */
export class SagaExpectationError extends Error {
  override readonly name = 'SagaExpectationError';
  constructor(
    message: string,
    readonly expected: unknown,
    readonly actual: unknown,
  ) {
    super(message);
  }
}

/** A message or compensation that failed for good while the test ran; also one whose failure holds its instance. */
export class SagaTestFailure extends Error {
  override readonly name = 'SagaTestFailure';
  constructor(
    message: string,
    readonly letters: readonly DeadLetter[],
  ) {
    super(message);
  }
}

/** Far more than any test advances: hints and due times wake the node, which never looks for what can't be there. */
const NEVER_MS = 1e12;

/** One saga under test, with time in the test's hands and nothing else around it. Made by {@link testSaga}. */
export class SagaTest<G extends AnySaga> {
  readonly clock: VirtualClock;
  /** What the saga has sent since the last {@link given}, in order. */
  readonly sent: SentMessage[] = [];
  private readonly host: OrchestratorHost;
  private readonly store: InstanceStore;
  private readonly taken = new Set<string>();
  private instances: readonly SagaInstance<G>[] = [];
  private readonly histories = new Map<string, readonly SagaHistoryEntry[]>();
  private reported = 0;
  /** How often each instance was held, as far as was told. */
  private readonly holds = new Map<string, number>();
  private offered = 0;

  /** @internal */
  constructor(
    private readonly behaviour: SagaBehaviour<G>,
    { startAt, clock, maxAttempts = 1, handlers = [], sagas = [] }: SagaTestOptions,
  ) {
    this.clock = clock ?? new VirtualClock(startAt === undefined ? {} : { startAt });
    this.store = tellingSent(memoryStore({ clock: this.clock }), (message) => this.sent.push(message));
    this.host = new OrchestratorHost({
      store: this.store,
      clock: this.clock,
      ids: countedIds('test'),
      random: seededRandom(0),
      maxAttempts,
      pollIntervalMs: NEVER_MS,
      leaseMs: NEVER_MS,
    });
    const behaviours: readonly SagaBehaviour[] = [behaviour, ...sagas];
    for (const each of behaviours) this.host.register(withDestinations(each, (type) => this.takeUp(type)));
    for (const handler of handlers) this.addHandler(handler);
    for (const { definition } of behaviours) this.prepare(definition);
  }

  /** @internal */
  async start(): Promise<void> {
    await this.host.start();
    await this.settle();
  }

  /** What has happened before the test: messages are handled, one after the other, and what was sent for them is forgotten. */
  async given(...messages: readonly object[]): Promise<void> {
    await this.offer(messages);
    this.sent.length = 0;
  }

  /**
   * What the test is about: messages are handled, one after the other, with everything that follows at this instant. Of what is real and takes
   * its time, as a query of a provider, it waits for what `clock` was told of.
   *
   * @throws SagaTestFailure where something failed for good
   */
  when(...messages: readonly object[]): Promise<void> {
    return this.offer(messages);
  }

  /** Lets time pass, with everything that becomes due. */
  async advance(by: Duration | number): Promise<void> {
    await this.clock.advance(by);
    await this.settle();
  }

  /** The instance; where the test has several, the one with this key. */
  instance(key?: string): SagaInstance<G> {
    const { correlateBy, name } = this.behaviour.definition as AnySaga;
    const found =
      key === undefined
        ? this.instances
        : this.instances.filter(({ data }) => Reflect.get(data as object, correlateBy) === key);
    const [first] = found;
    if (first !== undefined && found.length === 1) return first;
    const what =
      key === undefined ? `one instance of saga '${name}'` : `one instance with ${correlateBy} '${key}'`;
    const advice =
      found.length === 0 ? 'Does a given message start it?' : 'Name the one that is meant by its key.';
    throw this.unmet(`Expected ${what}, found ${found.length}. ${advice}`, 1, found.length);
  }

  expectState(state: StateOf<G>, key?: string): void {
    const { state: found, status } = this.instance(key);
    if (found === state) return;
    throw this.unmet(
      `Expected state '${String(state)}', found '${String(found)}' (${status}).`,
      state,
      found,
    );
  }

  expectStatus(status: SagaStatus, key?: string): void {
    const { status: found, state } = this.instance(key);
    if (found === status) return;
    throw this.unmet(
      `Expected status '${status}', found '${found}' (in state '${String(state)}').`,
      status,
      found,
    );
  }

  /** Of the data the fields that are named. */
  expectData(fields: Partial<DataOf<G>>, key?: string): void {
    const { data } = this.instance(key);
    if (matches(data, fields)) return;
    throw this.unmet(`Expected data with ${shown(fields)}, found ${shown(data)}.`, fields, data);
  }

  /** A message of this type was sent since {@link given}, with these fields; it may have more. */
  expectSent<M extends MessageType>(type: M, fields: Partial<InstanceType<M>> = {}): void {
    if (this.ofType(type).some(({ body }) => matches(body, fields))) return;
    const expected = `${type.messageName} ${shown(fields)}`;
    throw this.unmet(`Expected that ${expected} was sent; it was not.`, fields, this.ofType(type));
  }

  /** No message of this type was sent since {@link given}. */
  expectNotSent(type: MessageType): void {
    const found = this.ofType(type);
    if (found.length === 0) return;
    throw this.unmet(`Expected that no ${type.messageName} was sent; it was.`, [], found);
  }

  /** Exactly these compensations were done, in this order. */
  expectUndone(...names: readonly string[]): void {
    const done = [...this.histories.values()].flat().filter(({ kind }) => kind === 'undone');
    const found = done.map(({ name }) => name);
    if (matches(found, names)) return;
    throw this.unmet(`Expected that ${list(names)} was undone, found ${list(found)}.`, names, found);
  }

  close(): Promise<void> {
    return this.host.close();
  }

  private async offer(messages: readonly object[]): Promise<void> {
    for (const message of messages) {
      const { messageName } = messageTypeOf(message);
      if (!this.taken.has(messageName))
        throw this.unmet(`Nobody here answers '${messageName}'.`, messageName, null);
      await this.host.bus.publish(message, { id: `message-${(this.offered += 1)}` });
      await this.settle();
    }
  }

  private async settle(): Promise<void> {
    // What is due at this very instant belongs to it.
    await this.clock.advance(0);
    const { definition } = this.behaviour;
    const repository = this.host.repository(definition);
    const { items } = await this.store.query(
      { tenant: 'default', saga: definition.name, order: 'oldest', limit: 1_000 },
      { now: this.clock.storeNow() },
    );
    const found = await Promise.all(items.map(({ id }) => repository.find(id)));
    this.instances = found.filter((each) => each !== undefined);
    for (const { id } of this.instances) this.histories.set(id, await repository.history(id));
    await this.report();
  }

  private async report(): Promise<void> {
    const letters = await this.store.deadLetters({});
    const fresh = letters.slice(0, letters.length - this.reported);
    this.reported = letters.length;
    const reasons = [
      ...fresh.map(({ destination, reason }) => `${destination}: ${reason}`),
      ...this.freshHolds(),
    ];
    if (reasons.length === 0) return;
    throw new SagaTestFailure(`${reasons.join('\n')}\n${this.story()}`, fresh);
  }

  /** Why instances are held that were not when this was asked last. */
  private freshHolds(): string[] {
    return this.instances.flatMap(({ id }) => {
      const holds = (this.histories.get(id) ?? []).filter(({ kind }) => kind === 'held');
      const fresh = holds.slice(this.holds.get(id) ?? 0);
      this.holds.set(id, holds.length);
      return fresh.map(({ name, detail }) => `${name} holds ${id}: ${JSON.stringify(detail)}`);
    });
  }

  private prepare({ events, sends }: AnySaga): void {
    for (const name of events.keys()) this.taken.add(name);
    for (const type of sends?.values() ?? []) this.takeUp(type);
  }

  /** Somebody has to be there for a message that is sent, or it could not be. */
  private takeUp(type: MessageType): void {
    if (this.taken.has(type.messageName)) return;
    this.addHandler({ message: type, name: `test:${type.messageName}`, handle: () => undefined });
  }

  private addHandler(handler: MessageHandler): void {
    this.taken.add(handler.message.messageName);
    this.host.registerHandler(handler);
  }

  private ofType({ messageName }: MessageType): readonly SentMessage[] {
    return this.sent.filter(({ name }) => name === messageName);
  }

  private unmet(sentence: string, expected: unknown, actual: unknown): SagaExpectationError {
    return new SagaExpectationError(`${sentence}\n${this.story()}`, expected, actual);
  }

  private story(): string {
    return story(this.instances, this.histories, this.sent);
  }
}

/**
 * Puts a saga on a bench: in memory, in virtual time, alone. Messages that it sends are recorded; a test answers them itself, or gives handlers.
 *
 * ```ts
 * const t = await testSaga(orderBehaviour);
 * await t.given(new OrderCreated({ orderId: 'o1' }));
 * await t.when(new PaymentProcessed({ orderId: 'o1' }));
 * t.expectSent(ReserveStock, { orderId: 'o1' });
 * await t.advance('24h');
 * t.expectState('failed');
 * t.expectUndone('release', 'refund');
 * ```
 *
 * @throws SagaDefinitionError, as the application would at its start
 */
export async function testSaga<G extends AnySaga>(
  behaviour: SagaBehaviour<G>,
  options: SagaTestOptions = {},
): Promise<SagaTest<G>> {
  const test = new SagaTest(behaviour, options);
  await test.start();
  return test;
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}
