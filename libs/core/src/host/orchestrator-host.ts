import type { MessageBus } from '../bus/message-bus.js';
import type { MessageHandler } from '../bus/message-context.js';
import { AtOnce } from '../bus/at-once.js';
import { Addressing, type MessageWork } from '../bus/outgoing.js';
import { RemoteConsumer, type RemoteRoute } from '../bus/remote/remote-consumer.js';
import { OutboxBus } from '../bus/outbox-bus.js';
import { Participant } from '../bus/participant.js';
import { NodePresence, PRESENCE } from '../bus/request/presence.js';
import { failedReply, replyDestination, ReplyAddressing } from '../bus/request/reply-work.js';
import { Requests } from '../bus/request/requests.js';
import { Pump } from '../bus/relay/pump.js';
import { SCHEDULES } from '../bus/schedule/schedule-record.js';
import { Schedules } from '../bus/schedule/schedules.js';
import { TimerRelay } from '../bus/relay/timer-relay.js';
import { WorkRelay } from '../bus/relay/work-relay.js';
import { handlerDestination, remoteDestination, sagaDestination, undoDestination } from '../bus/routes.js';
import { Coalescer } from '../handling/coalescer.js';
import { readRowOrNot } from '../handling/unreadable-row.js';
import type { Commit, Consumption, Finish, FinishResult, WriteOptions } from '../ports/instance-store.js';
import type { ClaimedWork, WorkKey, WorkRecord } from '../ports/records.js';
import type { SagaBehaviour } from '../saga/behaviour.js';
import type { CompiledSaga } from '../saga/compile/compiled-saga.js';
import { ActivityConsumer } from '../saga/activity/activity-consumer.js';
import { activityDestination } from '../saga/activity/activity-work.js';
import type { SagaOperator } from '../saga/operator/saga-operator.js';
import { StoredSagaOperator } from '../saga/operator/stored-saga-operator.js';
import { ComeBacks } from '../saga/run/come-backs.js';
import { ChangeMaker } from '../saga/run/change-maker.js';
import { FanOut } from '../saga/run/fan-out.js';
import { JoinedRun, type JoinedPorts } from '../saga/run/joined-run.js';
import { SagaConsumer } from '../saga/run/saga-consumer.js';
import { CountingObserver } from '../saga/run/counting-observer.js';
import { LoggingObserver } from '../saga/run/saga-observer.js';
import { SagaRunner } from '../saga/run/saga-runner.js';
import { UndoConsumer } from '../saga/run/undo-consumer.js';
import type { SagaRepository } from '../saga/saga-repository.js';
import type { AnySaga } from '../saga/saga-types.js';
import { InstanceWaits } from '../saga/wait/instance-waits.js';
import { StoredSagaRepository } from '../saga/stored-saga-repository.js';
import type { HostHealth, HostStatistics } from './host-health.js';
import type { HostOptions } from './host-options.js';
import { Registry } from './registry.js';
import { settingsOf, type HostSettings } from './settings.js';
import { StoredNames } from './stored-names.js';

/** How often old rows are looked for, in milliseconds, and how many are forgotten at a time. */
const PURGE_MS = 3_600_000;
const PURGE_BATCH = 1_000;

/**
 * One node: sagas and handlers on a store, with their relays. Life: register everything → {@link start} → {@link stopPulling} →
 * {@link close}.
 */
export class OrchestratorHost {
  readonly bus: MessageBus;
  /** What people do about sagas that can't go on by themselves. */
  readonly operator: SagaOperator;
  private readonly settings: HostSettings;
  private readonly registry = new Registry();
  private readonly addressing: Addressing;
  private readonly owner: string;
  private readonly requests: Requests;
  private readonly presence: NodePresence;
  private readonly schedules: Schedules;
  private readonly waits: InstanceWaits;
  private readonly work: WorkRelay;
  private readonly timers: TimerRelay;
  private readonly upkeep: readonly Pump[];
  private readonly runner: SagaRunner;
  private readonly atOnce: AtOnce;
  private readonly operations: StoredSagaOperator;
  private readonly names: StoredNames;
  private readonly consumers = new Map<string, SagaConsumer>();
  private readonly byDestination = new Map<string, SagaConsumer>();
  private readonly consumed: Coalescer<WorkKey, string | null>;
  private readonly finishes: Coalescer<Finish, FinishResult>;
  private state: 'new' | 'up' | 'stopping' | 'closed' = 'new';
  private starting: Promise<void> = Promise.resolve();
  private readonly sagas: CountingObserver;
  private readonly comeBacks: ComeBacks;
  private deadLetters = 0;
  private unsubscribe = (): void => {};

  constructor(options: HostOptions) {
    this.settings = settingsOf(options);
    const { clock, ids, maxPayload, handlerTimeoutMs, pollIntervalMs } = this.settings;
    this.owner = ids.next();
    this.addressing = new Addressing(
      this.registry.routes,
      () => clock.now(),
      maxPayload,
      this.registry.checkKeys,
      new ReplyAddressing(this.owner, () => clock.now(), maxPayload),
    );
    this.requests = new Requests(clock);
    this.sagas = new CountingObserver(new LoggingObserver(this.settings.logger));
    this.comeBacks = new ComeBacks(clock, this.settings.random);
    this.waits = new InstanceWaits(this.settings);
    this.names = new StoredNames(this.settings);
    const ports = { ...this.settings, writeOptions: this.writeOptions };
    const policy = { maxAttempts: this.settings.maxAttempts, firstDelayMs: this.settings.retryDelayMs };
    this.work = new WorkRelay({ ...ports, buried: this.buried }, { ...this.settings, ...policy });
    this.timers = new TimerRelay(
      ports,
      policy,
      pollIntervalMs,
      () => [...this.registry.sagaNames, SCHEDULES],
      // A schedule is no instance that could be held: it is fired until it succeeds.
      ({ saga }) => (saga === SCHEDULES ? this.schedules : (this.consumers.get(saga) as SagaConsumer)),
    );
    this.upkeep = this.upkeepPumps();
    this.presence = new NodePresence(ports);
    this.work.register(PRESENCE, this.presence);
    this.work.register(replyDestination(this.owner), this.requests);
    const { addressing, requests, written, committed } = this;
    const { store } = this.settings;
    this.consumed = new Coalescer((batch) => store.consumed(batch), { clock });
    this.finishes = new Coalescer((batch) => store.finish(batch, this.writeOptions()), { clock });
    this.schedules = new Schedules({ ...ports, addressing, committed });
    const changes = new ChangeMaker(this.addressing, clock, { handlerTimeoutMs, maxPayload });
    const versionsOf = (saga: string): ReturnType<Registry['versions']> => this.registry.versions(saga);
    const joined: JoinedPorts = {
      ...{ store, changes, versionsOf, maxPayload },
      armed: (timers) => this.timers.armed(timers),
    };
    this.atOnce = new AtOnce({
      clock,
      hasRoom: () => this.work.hasRoom,
      handle: (row, decided) => this.byDestination.get(row.destination)?.atOnce(row, decided),
    });
    this.bus = new OutboxBus({
      ...ports,
      addressing,
      requests,
      schedules: this.schedules,
      atOnce: this.settings.handleOnPublish ? this.atOnce : undefined,
      written,
      tenant: this.tenant,
      joinedRun: (tx) => new JoinedRun(joined, tx),
      sagaAt: (destination) => this.registry.sagaAt(destination),
    });
    this.runner = new SagaRunner(
      {
        ...ports,
        observer: this.sagas,
        enqueue: this.enqueue,
        committed: this.committed,
      },
      changes,
      versionsOf,
    );
    this.operations = new StoredSagaOperator({
      ...this.settings,
      runner: this.runner,
      latest: (saga) => this.registry.find(saga),
      tenant: this.tenant,
    });
    this.operator = this.operations;
  }

  /**
   * Adds a saga; before {@link start}. `compiled`: what `compileSaga` made of it, where many nodes of one process have the same.
   *
   * @throws SagaDefinitionError, DuplicateSagaError
   */
  register(behaviour: SagaBehaviour, compiled?: CompiledSaga): void {
    this.registry.addSaga(behaviour, compiled);
    const { name } = behaviour.definition;
    if (this.consumers.has(name)) return;
    const consumer = new SagaConsumer(
      () => this.registry.latest(name),
      this.runner,
      new FanOut({ ...this.settings, hint: () => this.work.hint() }),
      { ...this.settings, comeBacks: this.comeBacks, observer: this.sagas },
    );
    this.consumers.set(name, consumer);
    this.byDestination.set(sagaDestination(name), consumer);
    this.work.register(sagaDestination(name), consumer);
    this.work.register(
      activityDestination(name),
      new ActivityConsumer(() => this.registry.versions(name), {
        ...this.settings,
        waits: this.waits,
        finish: (item) => this.finishes.submit(item),
        written: (work, leased) => this.written(work, leased, true),
        stopping: () => this.state !== 'up',
      }),
    );
    this.work.register(
      undoDestination(name),
      new UndoConsumer(() => this.registry.versions(name), this.runner, {
        ...this.settings,
        timeoutMs: this.settings.compensationTimeoutMs,
      }),
    );
  }

  /**
   * Adds a message handler; before {@link start}.
   *
   * @throws DuplicateDestinationError; TypeError for a `concurrency` that is no positive whole number
   */
  registerHandler(handler: MessageHandler): void {
    this.registry.addHandler(handler);
    const participant = new Participant(handler, {
      ...this.settings,
      addressing: this.addressing,
      writeOptions: this.writeOptions,
      consumed: (message) => this.consumed.submit(message),
      finish: (item) => this.finishes.submit(item),
      carry: this.carry,
      written: (work, leased) => this.written(work, leased, true),
    });
    this.work.register(handlerDestination(handler.name), participant);
  }

  /**
   * Adds a way to another application; before {@link start}.
   *
   * @throws DuplicateDestinationError
   */
  registerRemote(route: RemoteRoute): void {
    this.registry.addRemote(route);
    this.work.register(remoteDestination(route.name), new RemoteConsumer(route, this.settings));
  }

  /** The reading side of a saga's instances; usable before {@link start} has settled. */
  repository<G extends AnySaga>(definition: G): SagaRepository<G> {
    const { store, clock } = this.settings;
    return new StoredSagaRepository(definition, store, clock, this.tenant, this.waits, this.operations);
  }

  /**
   * Prepares the store, then takes up whatever is waiting there and begins to consume.
   *
   * @throws SagaDefinitionError where a command that a saga says it sends has no handler, or several; StoreSchemaError, StoreUnavailableError, StoredNamesError
   */
  start(): Promise<void> {
    return (this.starting = this.begin());
  }

  /** Claims and starts no further work; what is under way goes on. */
  stopPulling(): void {
    if (this.state !== 'up') return;
    this.state = 'stopping';
    this.unsubscribe();
    this.requests.stop();
    this.waits.stop();
    this.work.stopPulling();
    this.timers.stopPulling();
  }

  /** Waits for what is under way, its start as well, gives back the rest and closes the store port; never the client that the caller made. */
  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.stopPulling();
    if (this.state === 'new') {
      // Why it could not start is told to whoever started it.
      await this.starting.catch(() => undefined);
      this.stopPulling();
    }
    const ending = [this.work, this.atOnce, this.timers, this.waits].map((each) => each.idle());
    await Promise.all([...ending, this.names.ended()]);
    for (const pump of this.upkeep) pump.stop();
    await Promise.all(this.upkeep.map((pump) => pump.idle()));
    if (this.state === 'stopping') {
      await this.work.giveBack();
      await this.presence.end().catch((error: unknown) =>
        this.settings.logger.warn('The end of this node was not told to the store; others will find out', {
          error: String(error),
        }),
      );
    }
    this.state = 'closed';
    await this.settings.store.close();
  }

  async health(): Promise<HostHealth> {
    const { store } = this.settings;
    const figures = { store: store.kind, inWork: this.work.inWork, queued: this.work.queued };
    if (this.state === 'new' || this.state === 'closed')
      return { status: 'down', ...figures, error: 'not started' };
    try {
      await store.ping();
      return { status: this.state, ...figures };
    } catch (error) {
      return { status: 'down', ...figures, error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Counts since the node was made, and what is so now. Asks nobody. */
  statistics(): HostStatistics {
    const { deadLetters, work } = this;
    const { inWork, queued } = work;
    return { sagas: this.sagas.bySaga(), deadLetters, inWork, queued };
  }

  private async begin(): Promise<void> {
    const { store, logger } = this.settings;
    this.registry.checkSends();
    await store.start();
    await this.names.check(this.registry.behaviours);
    await this.presence.begin();
    this.state = 'up';
    this.unsubscribe = store.onWork(() => {
      this.work.hint();
      this.waits.hint();
    });
    this.work.start();
    this.timers.start();
    for (const pump of this.upkeep) pump.start();
    logger.info('Orchestrator started', {
      store: store.kind,
      node: this.owner,
      sagas: this.registry.sagaNames.join(', '),
    });
  }

  /** Tenant of messages and reads that name none. */
  private readonly tenant = (): string => this.settings.currentTenant() ?? this.settings.defaultTenant;

  private readonly writeOptions = (): WriteOptions => ({
    owner: this.owner,
    leaseMs: this.settings.leaseMs,
    now: this.settings.clock.storeNow(),
  });

  private readonly enqueue = async (work: readonly WorkRecord[]): Promise<void> => {
    if (work.length === 0) return;
    this.written(work, await this.settings.store.enqueue(work, this.writeOptions()), false);
  };

  private readonly carry = async (answer: WorkRecord, message: Consumption): Promise<boolean> => {
    if (this.settings.store.notesConsumed !== true) return false;
    const consumer = this.byDestination.get(answer.destination);
    return consumer === undefined ? false : consumer.carry(answer, message);
  };

  /** Who asked is told that the request was given up. */
  private readonly buried = async (row: ClaimedWork, reason: string): Promise<void> => {
    this.deadLetters += 1;
    const work = readRowOrNot<MessageWork>(row, ({ kind, envelope }) => kind === 'message' && !!envelope);
    if (work === undefined) return;
    await this.enqueue(this.addressing.replies.row(work.envelope, failedReply(reason)));
  };

  private readonly written = (work: readonly WorkRecord[], leased: boolean, unique: boolean): void => {
    if (leased) this.work.offer(work, unique);
    else this.work.hint();
  };

  private readonly committed = (
    commit: Commit,
    result: { readonly leased: boolean; readonly woken: boolean },
  ): void => {
    const work =
      result.woken && commit.wakeIfParked !== null ? [...commit.work, commit.wakeIfParked] : commit.work;
    this.written(work, result.leased, true);
    this.timers.armed(commit.timers.arm);
    this.waits.changed(commit.ref);
  };

  /** Forgets what nobody can ask for any more, batch by batch. */
  private async purge(): Promise<number | null> {
    const { clock, store, inboxRetentionMs, letterRetentionMs, tombstoneRetentionMs } = this.settings;
    const { more } = await store.purge({
      now: clock.storeNow(),
      inboxMs: inboxRetentionMs,
      lettersMs: letterRetentionMs,
      tombstonesMs: tombstoneRetentionMs,
      limit: PURGE_BATCH,
    });
    return more ? 0 : null;
  }

  private upkeepPumps(): readonly Pump[] {
    const { clock, leaseMs, logger, store, sweepIntervalMs } = this.settings;
    const failed = (error: unknown): void =>
      logger.warn('Upkeep failed; trying again', { error: String(error) });
    const renewal = new Pump(
      clock,
      leaseMs / 3,
      async () => (await this.presence.renew(), await this.work.renew(), null),
      failed,
    );
    const sweep = new Pump(
      clock,
      sweepIntervalMs,
      async () => (await store.expireDeliveries({ now: clock.storeNow() }), null),
      failed,
    );
    const purge = new Pump(clock, PURGE_MS, () => this.purge(), failed);
    return [renewal, sweep, purge];
  }
}
