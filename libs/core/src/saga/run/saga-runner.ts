import type {
  CommitResult,
  LoadRequest,
  LoadResult,
  ParkRequest,
  ParkResult,
} from '../../ports/instance-store.js';
import type { CurrentInstance, KeyRecord } from '../../ports/records.js';
import type { Commit } from '../../ports/instance-store.js';
import { toJson } from '../../message/json.js';
import { Mailboxes } from '../../orchestrator/mailbox/mailboxes.js';
import type { Attempt } from '../../bus/at-once.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { InstanceAbsentError, SagaConflictError, UnexpectedEventError } from '../saga-errors.js';
import { buildCommit, leased, superseding, type Change } from './build-commit.js';
import { pause, underLease } from './contention.js';
import { Draining } from './draining.js';
import type { HoldReason } from './hold.js';
import { Holding } from './holding.js';
import { Coalescer } from '../../handling/coalescer.js';
import type { ChangeMaker } from './change-maker.js';
import { checkedPlan } from './checked-plan.js';
import { primaryKeyOf, refuseTakenKeys } from './correlation.js';
import type { Fitted } from '../versions/fit-version.js';
import { mailboxOf, oddsOf } from './names.js';
import { LateComers } from './late-comers.js';
import { isStart, mustDrain, planFor, type Known } from './plan.js';
import type { RunnerPorts } from './runner-ports.js';
import { KnownInstances } from './known-instances.js';
import { absentPolicy } from './policies.js';
import { Odds } from './odds.js';
import type { Stimulus } from './stimulus.js';
import { Unloaded } from './unloaded.js';

/** What became of a stimulus. `consumed`: its outbox row is gone with the commit; `settled`: nothing is left to do, the row can go. */
export type Handled = 'consumed' | 'settled';

/** Races that a message may lose before it asks for the instance for itself. */
const MAX_TRIES = 5;

/**
 * Brings messages, timers and outcomes to saga instances: mailbox → load → macrostep → one commit. Lost races load again; what is not
 * committed has not happened. An instance that this node has just committed, or that a message can only be the start of, needs no load: the
 * commit finds out whether that was right.
 */
export class SagaRunner {
  private readonly mailboxes = new Mailboxes<Stimulus>();
  private readonly known = new KnownInstances();
  private readonly odds = new Odds();
  /** Of messages that may be handled before they are rows. */
  private readonly quick = new Odds();
  private readonly holding: Holding;
  private readonly unloaded: Unloaded;
  private readonly draining: Draining;
  private readonly late: LateComers;
  private readonly loads: Coalescer<LoadRequest, LoadResult>;
  private readonly commits: Coalescer<Commit, CommitResult>;
  private readonly parks: Coalescer<ParkRequest, ParkResult>;

  constructor(
    private readonly ports: RunnerPorts,
    private readonly changes: ChangeMaker,
    /** Versions of each saga this node knows. */
    private readonly versionsOf: (saga: string) => ReadonlyMap<number, CompiledSaga>,
  ) {
    const { store, clock } = ports;
    const at = (): { now: number | null } => ({ now: clock.storeNow() });
    this.loads = new Coalescer((batch) => store.load(batch, at()), { clock });
    this.commits = new Coalescer((batch) => store.commit(batch, ports.writeOptions()), { clock });
    this.parks = new Coalescer((batch) => store.park(batch, at()), { clock });
    this.holding = new Holding({
      ...ports,
      load: (saga, stimulus) => this.load(saga, stimulus),
      commit: (commit) => this.commits.submit(commit),
    });
    this.late = new LateComers({ ...ports, changes, commit: (commit) => this.commits.submit(commit) });
    this.draining = new Draining({
      ...ports,
      changes,
      load: (saga, at) => this.load(saga, at),
      attempt: (saga, stimulus, loaded) => this.attempt(saga, stimulus, loaded),
      commit: (commit) => this.commits.submit(commit),
    });
    this.unloaded = new Unloaded({
      changes,
      versionsOf,
      observer: ports.observer,
      load: (saga, stimulus) => this.load(saga, stimulus),
      commit: (commit, together) => this.commit(commit, together),
      behind: (mailbox, place) => this.mailboxes.behind(mailbox, place),
      takeAlong: (mailbox, count) => this.mailboxes.takeAlong(mailbox, count, 'consumed'),
    });
  }

  /** Handles one stimulus after all earlier ones of its instance. */
  handle(saga: CompiledSaga, stimulus: Stimulus): Promise<Handled> {
    const task = async (): Promise<Handled> => {
      const guess = this.guess(saga, stimulus);
      const loaded = await (guess === undefined
        ? this.load(saga, stimulus)
        : this.unloaded.handle(saga, stimulus, guess, () => {
            if (guess === null) this.odds.lost(oddsOf(saga, stimulus));
            else this.ports.observer.conflict(saga, stimulus, guess, 1);
          }));
      if (typeof loaded === 'string') return loaded;
      // Whoever loads an instance handles what waits for it before any newcomer.
      if (mustDrain(stimulus, loaded)) {
        await this.draining.before(saga, stimulus);
        return this.attempt(saga, stimulus, await this.load(saga, stimulus));
      }
      return this.attempt(saga, stimulus, loaded);
    };
    return this.mailboxes.run(mailboxOf(saga, stimulus), task, stimulus);
  }

  /** Handles an answer that is no row yet along with the message that it answers; `false`: nothing has happened, it has to become one. */
  carry(saga: CompiledSaga, stimulus: Stimulus): Promise<boolean> {
    const mailbox = mailboxOf(saga, stimulus);
    return this.mailboxes.run(mailbox, async () => {
      const known = this.known.look(mailbox);
      if (known === undefined) return false;
      return this.unloaded.carry(saga, stimulus, known, () => void this.known.take(mailbox));
    });
  }

  /**
   * Begins to handle a message that is no row yet, if nobody else has its instance in hand and what it is handled on is known; it is what {@link carry}
   * does. `undefined`: it has to become a row.
   *
   * @param decided called when its handlers have run, and the commit begins
   */
  atOnce(saga: CompiledSaga, stimulus: Stimulus, decided: () => void): Attempt | undefined {
    const mailbox = mailboxOf(saga, stimulus);
    const name = oddsOf(saga, stimulus);
    if (this.mailboxes.isBusy(mailbox)) return undefined;
    if (!this.quick.areGood(name)) {
      this.quick.won(name);
      return undefined;
    }
    const known = this.known.look(mailbox) ?? this.asNew(saga, stimulus);
    if (known === undefined) return undefined;
    let slow = false;
    const handled = this.mailboxes.run(mailbox, async () => {
      const done = await this.unloaded.carry(saga, stimulus, known, () => {
        this.known.take(mailbox);
        decided();
      });
      if (done && !slow) this.quick.won(name);
      if (!done && known === null) this.odds.lost(name);
      return done;
    });
    const tellSlow = (): void => {
      slow = true;
      this.quick.lost(name);
    };
    return { handled, slow: tellSlow };
  }

  /** The instance as it is stored. */
  async find(saga: CompiledSaga, at: Pick<Stimulus, 'tenant' | 'key'>): Promise<CurrentInstance | null> {
    return (await this.load(saga, at)).instance;
  }

  /** Handles the open deliveries of an instance, until none of them is answered any more. */
  drain(saga: CompiledSaga, at: Pick<Stimulus, 'tenant' | 'key'>): Promise<void> {
    return this.inMailbox(saga, at, () => this.draining.drain(saga, at));
  }

  /** The primary key of the instance that a key leads to; the key itself where there is none. */
  async primaryKey(saga: CompiledSaga, at: Pick<Stimulus, 'tenant' | 'key'>): Promise<KeyRecord> {
    const { instance } = await this.load(saga, at);
    return (instance && primaryKeyOf(saga.definition, instance)) ?? at.key;
  }

  /**
   * Holds an instance, with the stimulus as its poison; `bury`: there is no instance to hold.
   *
   * @param attempts how often the stimulus was tried
   */
  hold(
    saga: CompiledSaga,
    stimulus: Stimulus,
    why: HoldReason,
    error: unknown,
    attempts: number,
  ): Promise<Handled | 'bury'> {
    return this.inMailbox(saga, stimulus, () => this.holding.hold(saga, stimulus, { why, error, attempts }));
  }

  /** Holds an instance with the delivery that could not be handled. */
  holdDelivery(
    saga: CompiledSaga,
    at: Pick<Stimulus, 'tenant' | 'key'>,
    error: unknown,
    attempts: number,
  ): Promise<void> {
    return this.inMailbox(saga, at, () => this.holding.holdDelivery(saga, at, error, attempts));
  }

  private inMailbox<T>(
    saga: CompiledSaga,
    at: Pick<Stimulus, 'tenant' | 'key'>,
    task: () => Promise<T>,
  ): Promise<T> {
    return this.mailboxes.run(mailboxOf(saga, at), task);
  }

  /** The instance as it probably is; `undefined`: it has to be loaded. */
  private guess(saga: CompiledSaga, stimulus: Stimulus): CurrentInstance | null | undefined {
    const known = this.known.take(mailboxOf(saga, stimulus));
    if (stimulus.cause.kind === 'operator') return undefined;
    if (known !== undefined) return known;
    return this.asNew(saga, stimulus);
  }

  /** `null`: what starts here probably starts an instance that there is not yet. */
  private asNew(saga: CompiledSaga, stimulus: Stimulus): null | undefined {
    return isStart(saga, stimulus) && this.odds.areGood(oddsOf(saga, stimulus)) ? null : undefined;
  }

  private load(
    saga: CompiledSaga,
    at: Pick<Stimulus, 'tenant' | 'key'> & { messageId?: string },
  ): Promise<LoadResult> {
    return this.loads.submit({
      tenant: at.tenant,
      saga: saga.definition.name,
      by: { key: at.key },
      messageId: at.messageId ?? '',
    });
  }

  private async attempt(saga: CompiledSaga, stimulus: Stimulus, first: LoadResult): Promise<Handled> {
    let loaded: Known = first;
    for (let tries = 1; ; tries++) {
      const handled = await this.once(saga, stimulus, loaded, null);
      if (handled !== 'conflict') return handled;
      this.ports.observer.conflict(saga, stimulus, loaded.instance, tries);
      if (tries >= MAX_TRIES) return this.alone(saga, stimulus, loaded.instance);
      await pause(this.ports, tries);
      loaded = await this.load(saga, stimulus);
    }
  }

  /** Handles a stimulus that has lost too many races: with the instance for itself. */
  private alone(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance | null): Promise<Handled> {
    if (instance === null) throw new SagaConflictError(saga.definition.name, MAX_TRIES);
    return underLease(this.ports, instance, async (lease) =>
      this.once(saga, stimulus, await this.load(saga, stimulus), lease),
    );
  }

  private async once(
    highest: CompiledSaga,
    stimulus: Stimulus,
    known: Known,
    lease: string | null,
  ): Promise<Handled | 'conflict'> {
    const planned = planFor(highest, this.versionsOf(highest.definition.name), stimulus, known);
    const plan = await checkedPlan(planned, known, this.ports.maxPayload);
    switch (plan.kind) {
      case 'repeated':
        return this.late.repeated(stimulus, plan.seen);
      case 'wait':
        return this.holding.meet(highest, stimulus, plan.instance, lease);
      case 'create':
        return this.create(highest, stimulus, plan.former);
      case 'late':
        return this.late.gone(highest, stimulus);
      case 'absent':
        return this.absent(highest, stimulus);
      case 'older':
        return this.holdOlder(highest, stimulus, plan.error);
      case 'over':
        return this.late.over(highest, stimulus, plan, lease);
      case 'run':
        return this.step(plan, stimulus, lease);
      default:
        return plan satisfies never;
    }
  }

  private async step(
    { saga, instance }: Fitted,
    stimulus: Stimulus,
    lease: string | null,
  ): Promise<Handled | 'conflict'> {
    const change = await this.make(saga, instance, stimulus);
    if (change === null) return 'settled';
    return this.commit(buildCommit(change, leased(lease)), [change]);
  }

  /** Creates an instance; in the place of an ended one, if there is one. */
  private async create(
    saga: CompiledSaga,
    stimulus: Stimulus,
    former: CurrentInstance | null,
  ): Promise<Handled | 'conflict'> {
    this.odds.won(oddsOf(saga, stimulus));
    const change = await this.make(saga, null, stimulus);
    // The start message of the ended instance itself, whose inbox is forgotten by now.
    if (change === null || change.ref.id === former?.id) return 'settled';
    return this.commit(buildCommit(change, superseding(former?.id ?? null)), [change]);
  }

  private async holdOlder(
    saga: CompiledSaga,
    stimulus: Stimulus,
    error: Error,
  ): Promise<Handled | 'conflict'> {
    if (stimulus.cause.kind === 'operator') throw error;
    const held = await this.holding.hold(saga, stimulus, { why: 'version', error, attempts: 0 });
    // It is gone, or has ended, and that is no reason to forget what came for it.
    if (held === 'bury') throw error;
    // What made it known waits with the rest.
    return 'conflict';
  }

  private async make(
    saga: CompiledSaga,
    instance: CurrentInstance | null,
    stimulus: Stimulus,
  ): Promise<Change | null> {
    try {
      return await this.changes.make(saga, instance, stimulus);
    } catch (error) {
      this.ports.observer.failed(saga, stimulus, instance, error);
      throw error;
    }
  }

  /** Commits what one stimulus comes to, or several of one instance together. */
  private async commit(commit: Commit, changes: readonly Change[]): Promise<'consumed' | 'conflict'> {
    const { faults, observer } = this.ports;
    const { saga, instance, stimulus } = changes[0] as Change;
    await faults.reach('saga.commit.before');
    const result = await this.commits.submit(commit);
    if (result.outcome === 'conflict') {
      await refuseTakenKeys(saga, commit, (at) => this.load(saga, at));
      return 'conflict';
    }
    await faults.reach('saga.commit.after');
    // Deferring and delivering leave it to the next load to count what waits.
    const waiting = (instance?.openDeliveries ?? 0) + commit.deliveries.add.length;
    if (!result.woken && waiting === 0)
      this.known.committed(mailboxOf(saga, stimulus), commit, result.version);
    this.ports.committed(commit, result);
    for (const change of changes) observer.committed(change, result.version);
    return 'consumed';
  }

  private async absent(saga: CompiledSaga, stimulus: Stimulus): Promise<Handled | 'conflict'> {
    const { cause } = stimulus;
    // Timers and outcomes of an instance that is gone concern nobody.
    if (cause.kind !== 'message') return 'settled';
    const { patience, name } = saga.definition;
    const absent = absentPolicy(saga.definition, cause.envelope.name);
    if (absent === 'redeliver') throw new InstanceAbsentError(name, cause.envelope.name);
    if (absent === 'fault') throw new UnexpectedEventError(name, cause.envelope.name, null);
    if (absent === 'discard') {
      this.ports.observer.discarded(saga, stimulus);
      return this.late.repeated(stimulus, { outcome: 'discarded', reply: null });
    }
    const parked = await this.parks.submit({
      tenant: stimulus.tenant,
      saga: name,
      key: stimulus.key,
      delivery: {
        messageId: stimulus.messageId,
        payload: toJson(cause.envelope, 'parked message'),
        ttlMs: patience,
      },
      done: stimulus.work === null ? [] : [stimulus.work],
    });
    if (parked === 'present') return 'conflict';
    this.ports.observer.parked(saga, stimulus);
    return 'consumed';
  }
}
