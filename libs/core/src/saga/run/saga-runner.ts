import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { Random } from '../../ports/ids.js';
import type {
  CommitResult,
  InstanceStore,
  LoadRequest,
  LoadResult,
  ParkRequest,
  ParkResult,
  WriteOptions,
} from '../../ports/instance-store.js';
import type { CurrentInstance, InboxRecord, KeyRecord, WorkRecord } from '../../ports/records.js';
import type { Commit } from '../../ports/instance-store.js';
import { parseJson, toJson } from '../../message/json.js';
import type { Envelope } from '../../message/envelope.js';
import { Mailboxes } from '../../orchestrator/mailbox/mailboxes.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import {
  InstanceAbsentError,
  SagaConflictError,
  SagaKeyTakenError,
  SagaVersionError,
  UnexpectedEventError,
} from '../saga-errors.js';
import { buildCommit, type Change } from './build-commit.js';
import { Coalescer } from '../../handling/coalescer.js';
import type { ChangeMaker } from './change-maker.js';
import { primaryKeyOf } from './correlation.js';
import { KnownInstances } from './known-instances.js';
import { absentPolicy } from './policies.js';
import type { SagaObserver } from './saga-observer.js';
import { StartOdds } from './start-odds.js';
import type { Stimulus } from './stimulus.js';

/** What became of a stimulus. `consumed`: its outbox row is gone with the commit; `settled`: nothing is left to do, the row can go. */
export type Handled = 'consumed' | 'settled';

/** What a saga runner needs of its node. */
export interface RunnerPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: FaultPoints;
  readonly observer: SagaObserver;
  readonly writeOptions: () => WriteOptions;
  /** Writes work that belongs to no commit. */
  readonly enqueue: (work: readonly WorkRecord[]) => Promise<void>;
  /** Tells the node of what a commit has made: work to dispatch, timers to wait for. */
  readonly committed: (commit: Commit, result: Extract<CommitResult, { outcome: 'committed' }>) => void;
}

const MAX_TRIES = 5;

/** What is known of an instance and a message when the message is handled. */
type Known = Pick<LoadResult, 'seen'> & { readonly instance: CurrentInstance | null };

/**
 * Brings messages, timers and outcomes to saga instances: mailbox → load → macrostep → one commit. Lost races load again; what is not
 * committed has not happened. An instance that this node has just committed, or that a message can only be the start of, needs no load: the
 * commit finds out whether that was right.
 */
export class SagaRunner {
  private readonly mailboxes = new Mailboxes();
  private readonly known = new KnownInstances();
  private readonly odds = new StartOdds();
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
    this.loads = new Coalescer((batch) => store.load(batch, at()));
    this.commits = new Coalescer((batch) => store.commit(batch, ports.writeOptions()));
    this.parks = new Coalescer((batch) => store.park(batch, at()));
  }

  /** Handles one stimulus after all earlier ones of its instance. */
  handle(saga: CompiledSaga, stimulus: Stimulus): Promise<Handled> {
    return this.inMailbox(saga, stimulus, async () => {
      const guess = this.guess(saga, stimulus);
      const loaded = await (guess === undefined
        ? this.load(saga, stimulus)
        : this.onGuess(saga, stimulus, guess));
      if (typeof loaded === 'string') return loaded;
      // Whoever loads an instance handles what waits for it before any newcomer.
      if ((loaded.instance?.openDeliveries ?? 0) > 0 && loaded.seen === null) {
        await this.drainInMailbox(saga, stimulus);
        return this.attempt(saga, stimulus, await this.load(saga, stimulus));
      }
      return this.attempt(saga, stimulus, loaded);
    });
  }

  /** Handles the open deliveries of an instance, until none of them is answered any more. */
  drain(saga: CompiledSaga, at: Pick<Stimulus, 'tenant' | 'key'>): Promise<void> {
    return this.inMailbox(saga, at, () => this.drainInMailbox(saga, at));
  }

  /** The primary key of the instance that a key leads to; the key itself where there is none. */
  async primaryKey(saga: CompiledSaga, at: Pick<Stimulus, 'tenant' | 'key'>): Promise<KeyRecord> {
    if (at.key.name === saga.definition.correlateBy) return at.key;
    const { instance } = await this.load(saga, at);
    return (instance && primaryKeyOf(saga.definition, instance)) ?? at.key;
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
    if (known !== undefined) return known;
    return this.starts(saga, stimulus) && this.odds.areGood(oddsOf(saga, stimulus)) ? null : undefined;
  }

  /** Handles a stimulus on a state that no load has told. What it comes to without a commit counts only if a load says the same; otherwise that. */
  private async onGuess(
    highest: CompiledSaga,
    stimulus: Stimulus,
    instance: CurrentInstance | null,
  ): Promise<Handled | LoadResult> {
    let change: Change | null = null;
    let failure: { readonly error: unknown } | null = null;
    try {
      change = await this.changes.make(this.versionFor(highest, instance), instance, stimulus);
    } catch (error) {
      failure = { error };
    }
    if (change !== null) {
      const handled = await this.commit({ ...buildCommit(change), ifUnseen: true }, change);
      if (handled !== 'conflict') return handled;
      if (instance === null) this.odds.met(oddsOf(highest, stimulus));
      return this.load(highest, stimulus);
    }
    const loaded = await this.load(highest, stimulus);
    if (!isAsLoaded(instance, loaded)) return loaded;
    if (failure === null) return 'settled';
    this.ports.observer.failed(highest, stimulus, instance, failure.error);
    throw failure.error;
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
      const handled = await this.once(saga, stimulus, loaded);
      if (handled !== 'conflict') return handled;
      this.ports.observer.conflict(saga, stimulus, loaded.instance, tries);
      if (tries >= MAX_TRIES) throw new SagaConflictError(saga.definition.name, tries);
      await this.pause(tries);
      loaded = await this.load(saga, stimulus);
    }
  }

  private async once(
    highest: CompiledSaga,
    stimulus: Stimulus,
    loaded: Known,
  ): Promise<Handled | 'conflict'> {
    const { instance, seen } = loaded;
    const redelivered =
      stimulus.cause.kind === 'message' && stimulus.cause.delivery && seen?.outcome === 'deferred';
    if (seen !== null && !redelivered) return this.repeated(stimulus, seen);
    const saga = this.versionFor(highest, instance);
    if (instance === null) {
      if (!this.starts(saga, stimulus)) return this.absent(saga, stimulus);
      this.odds.started(oddsOf(saga, stimulus));
    }
    const change = await this.make(saga, instance, stimulus);
    if (change === null) return 'settled';
    return this.commit(buildCommit(change), change);
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

  private async commit(commit: Commit, change: Change): Promise<Handled | 'conflict'> {
    const { faults, observer } = this.ports;
    await faults.reach('saga.commit.before');
    const result = await this.commits.submit(commit);
    if (result.outcome === 'conflict') {
      await this.checkKeys(change.saga, commit);
      return 'conflict';
    }
    await faults.reach('saga.commit.after');
    // Deferring and delivering leave it to the next load to count what waits.
    const waiting = (change.instance?.openDeliveries ?? 0) + commit.deliveries.add.length;
    if (!result.woken && waiting === 0)
      this.known.committed(mailboxOf(change.saga, change.stimulus), commit, result.version);
    this.ports.committed(commit, result);
    observer.committed(change, result.version);
    return 'consumed';
  }

  /** A further key that another instance has is no race: trying again would lose for ever. */
  private async checkKeys(saga: CompiledSaga, { ref, keys }: Commit): Promise<void> {
    const { name, correlateBy } = saga.definition;
    for (const key of keys) {
      if (key.many === true || key.name === correlateBy) continue;
      const { instance } = await this.load(saga, { tenant: ref.tenant, key });
      if (instance !== null && instance.id !== ref.id)
        throw new SagaKeyTakenError(name, key.name, instance.id);
    }
  }

  private starts(saga: CompiledSaga, { cause }: Stimulus): boolean {
    return cause.kind === 'message' && saga.starts.has(cause.envelope.name);
  }

  /** An instance stays on its version; a version that this node does not know is given back. */
  private versionFor(highest: CompiledSaga, instance: CurrentInstance | null): CompiledSaga {
    if (instance === null || instance.definitionVersion === highest.definition.version) return highest;
    const versions = this.versionsOf(highest.definition.name);
    const saga = versions.get(instance.definitionVersion);
    if (saga === undefined) {
      throw new SagaVersionError(highest.definition.name, instance.definitionVersion, [...versions.keys()]);
    }
    return saga;
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
      return this.repeated(stimulus, { outcome: 'discarded', reply: null });
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

  /** There is nothing to change; whoever asks gets what was answered the first time. */
  private async repeated(
    { cause }: Stimulus,
    seen: Pick<InboxRecord, 'outcome' | 'reply'>,
  ): Promise<'settled'> {
    // The handling of what still waits will answer.
    if (cause.kind !== 'message' || seen.outcome === 'deferred') return 'settled';
    await this.ports.enqueue(this.changes.answer(seen, cause.envelope));
    return 'settled';
  }

  private async drainInMailbox(saga: CompiledSaga, at: Pick<Stimulus, 'tenant' | 'key'>): Promise<void> {
    for (let progress = true; progress;) {
      progress = false;
      const { instance } = await this.load(saga, at);
      if (instance === null || instance.openDeliveries === 0) return;
      for (const delivery of await this.ports.store.deliveries(instance)) {
        const stimulus = this.changes.delivered(saga, at, parseJson(delivery.payload) as Envelope);
        const handled = await this.attempt(saga, stimulus, await this.load(saga, stimulus));
        if (handled === 'consumed') progress = true;
      }
    }
  }

  /** Full jitter, so that those who raced do not race again. */
  private pause(tries: number): Promise<void> {
    const { clock, random } = this.ports;
    return new Promise((resolve) => void clock.schedule(random.next() * 5 * 2 ** tries, resolve));
  }
}

function mailboxOf(saga: CompiledSaga, { tenant, key }: Pick<Stimulus, 'tenant' | 'key'>): string {
  return `${saga.definition.name}\n${tenant}\n${key.name}\n${key.value}`;
}

function oddsOf(saga: CompiledSaga, { cause }: Stimulus): string {
  return `${saga.definition.name}\n${cause.kind === 'message' ? cause.envelope.name : ''}`;
}

/** Whether a load says the same of an instance for which no delivery waits. */
function isAsLoaded(guess: CurrentInstance | null, { instance, seen }: LoadResult): boolean {
  if (seen !== null) return false;
  if (instance === null || guess === null) return instance === guess;
  return instance.id === guess.id && instance.version === guess.version && instance.openDeliveries === 0;
}
