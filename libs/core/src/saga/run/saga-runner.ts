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
import type { InboxRecord, StoredInstance, WorkRecord } from '../../ports/records.js';
import type { Commit } from '../../ports/instance-store.js';
import { parseJson, toJson } from '../../message/json.js';
import type { Envelope } from '../../message/envelope.js';
import { Mailboxes } from '../../orchestrator/mailbox/mailboxes.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { SagaConflictError, SagaVersionError, UnexpectedEventError } from '../saga-errors.js';
import { buildCommit, type Change } from './build-commit.js';
import { Coalescer } from '../../handling/coalescer.js';
import type { ChangeMaker } from './change-maker.js';
import type { SagaObserver } from './saga-observer.js';
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

/**
 * Brings messages, timers and outcomes to saga instances: mailbox → load → macrostep → one commit. Lost races load again; what is not
 * committed has not happened.
 */
export class SagaRunner {
  private readonly mailboxes = new Mailboxes();
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
      const loaded = await this.load(saga, stimulus);
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

  private inMailbox<T>(
    saga: CompiledSaga,
    at: Pick<Stimulus, 'tenant' | 'key'>,
    task: () => Promise<T>,
  ): Promise<T> {
    return this.mailboxes.run(`${saga.definition.name}\n${at.tenant}\n${at.key.name}\n${at.key.value}`, task);
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
    let loaded = first;
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
    loaded: LoadResult,
  ): Promise<Handled | 'conflict'> {
    const { instance, seen } = loaded;
    const redelivered =
      stimulus.cause.kind === 'message' && stimulus.cause.delivery && seen?.outcome === 'deferred';
    if (seen !== null && !redelivered) return this.repeated(stimulus, seen);
    const saga = this.versionFor(highest, instance);
    if (instance === null && !this.starts(saga, stimulus)) return this.absent(saga, stimulus);
    const change = await this.make(saga, instance, stimulus);
    if (change === null) return 'settled';
    return this.commit(change);
  }

  private async make(
    saga: CompiledSaga,
    instance: StoredInstance | null,
    stimulus: Stimulus,
  ): Promise<Change | null> {
    try {
      return await this.changes.make(saga, instance, stimulus);
    } catch (error) {
      this.ports.observer.failed(saga, stimulus, instance, error);
      throw error;
    }
  }

  private async commit(change: Change): Promise<Handled | 'conflict'> {
    const commit = buildCommit(change);
    const { faults, observer } = this.ports;
    await faults.reach('saga.commit.before');
    const result = await this.commits.submit(commit);
    if (result.outcome === 'conflict') return 'conflict';
    await faults.reach('saga.commit.after');
    this.ports.committed(commit, result);
    observer.committed(change, result.version);
    return 'consumed';
  }

  private starts(saga: CompiledSaga, { cause }: Stimulus): boolean {
    return cause.kind === 'message' && saga.starts.has(cause.envelope.name);
  }

  /** An instance stays on its version; a version that this node does not know is given back. */
  private versionFor(highest: CompiledSaga, instance: StoredInstance | null): CompiledSaga {
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
    const { absent, patience, name } = saga.definition;
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
