import { errorText } from '../../errors/error-text.js';
import type { Envelope } from '../../message/envelope.js';
import { parseJson } from '../../message/json.js';
import type { Commit, CommitResult, LoadResult } from '../../ports/instance-store.js';
import type { CurrentInstance, InboxRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { SagaConflictError } from '../saga-errors.js';
import { pause, type ContentionPorts } from './contention.js';
import { BehindDeliveryError, DeliveryError } from './delivery-error.js';
import { releaseRow } from './release.js';
import { ejectCommit, holdCommit, whileHeld, type HoldReason } from './hold.js';
import type { SagaObserver } from './saga-observer.js';
import type { Stimulus } from './stimulus.js';

/** What it takes to hold instances. */
export interface HoldingPorts extends ContentionPorts {
  readonly observer: SagaObserver;
  readonly load: (
    saga: CompiledSaga,
    at: Pick<Stimulus, 'tenant' | 'key'> & { messageId?: string },
  ) => Promise<LoadResult>;
  readonly commit: (commit: Commit) => Promise<CommitResult>;
  /** What a commit has left is to be dispatched. */
  readonly committed: (commit: Commit, result: Extract<CommitResult, { outcome: 'committed' }>) => void;
}

/** Why an instance is to be held. */
interface Cause {
  readonly why: HoldReason;
  readonly error: unknown;
  /** How often the stimulus was tried. */
  readonly attempts: number;
}

const MAX_TRIES = 10;

/** Holds instances that can't go on by themselves, and lets what comes for them wait. All of it runs in the instance's mailbox. */
export class Holding {
  constructor(private readonly ports: HoldingPorts) {}

  /** Holds an instance, with the stimulus as its poison; `bury`: there is none that could be held. */
  async hold(
    saga: CompiledSaga,
    stimulus: Stimulus,
    { why, error, attempts }: Cause,
  ): Promise<'consumed' | 'settled' | 'bury'> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const { instance, seen } = await this.ports.load(saga, stimulus);
      if (instance === null || instance.ended) return 'bury';
      if (seen !== null && !isOpenDelivery(stimulus, seen)) return 'settled';
      const commit = isHeld({ instance })
        ? whileHeld(instance, stimulus)
        : this.begin(instance, stimulus, { why, error, attempts });
      if (commit === null) return 'settled';
      const result = await this.ports.commit(commit);
      if (result.outcome === 'committed') {
        this.ports.observer.held(saga, stimulus, instance, error);
        if (commit.work.length > 0) this.ports.committed(commit, result);
        return 'consumed';
      }
      await pause(this.ports, tries);
    }
    throw new SagaConflictError(saga.definition.name, MAX_TRIES);
  }

  /** The hold of an instance; of one that is held for its version with the row that finds a node which continues that, now or when one comes. */
  private begin(instance: CurrentInstance, stimulus: Stimulus, { why, error, attempts }: Cause): Commit {
    const hold = { why, error: errorText(error), attempts, poison: why === 'poison' };
    const commit = holdCommit(instance, stimulus, hold);
    if (why !== 'version') return commit;
    const { id, version, saga } = instance;
    const row = releaseRow(saga, stimulus, `${id}:${version}`, this.ports.clock.now());
    return { ...commit, work: [row] };
  }

  /** Holds an instance with the delivery that failed; with the first, if none of them said so. */
  async holdDelivery(
    saga: CompiledSaga,
    at: Pick<Stimulus, 'tenant' | 'key'>,
    error: unknown,
    attempts: number,
  ): Promise<void> {
    const { instance } = await this.ports.load(saga, at);
    if (instance === null || isHeld({ instance })) return;
    const all = await this.ports.store.deliveries(instance);
    const known = error instanceof DeliveryError;
    const poison = known ? all.find(({ messageId }) => messageId === error.messageId) : all[0];
    if (poison === undefined) return;
    const envelope = parseJson(poison.payload) as Envelope;
    const stimulus = deliveryOf(at, envelope);
    const held = await this.hold(saga, stimulus, {
      why: 'poison',
      error: known ? error.cause : error,
      attempts,
    });
    // What has ended is not held: it fails as a message of its own, and becomes a dead letter.
    if (held === 'bury') await this.eject(instance, stimulus, envelope);
  }

  /** Takes a delivery away from an instance that it can't hold. If somebody has changed the instance, they see to what waits. */
  private async eject(instance: CurrentInstance, stimulus: Stimulus, envelope: Envelope): Promise<void> {
    const commit = ejectCommit(instance, stimulus, envelope);
    const result = await this.ports.commit(commit);
    if (result.outcome === 'committed') this.ports.committed(commit, result);
    else throw new SagaConflictError(instance.saga, 1);
  }

  /** What comes for a held instance waits with it. */
  async meet(
    saga: CompiledSaga,
    stimulus: Stimulus,
    instance: CurrentInstance,
    lease: string | null,
  ): Promise<'consumed' | 'settled' | 'conflict'> {
    // Its row is what waits: it is no message that could be a delivery.
    if (stimulus.cause.kind === 'activity')
      throw new BehindDeliveryError(`Instance ${instance.id} is held; outcomes of its activities wait.`);
    const commit = whileHeld(instance, stimulus);
    if (commit === null) return 'settled';
    const result = await this.ports.commit({ ...commit, lease });
    if (result.outcome === 'conflict') return 'conflict';
    this.ports.observer.waits(saga, stimulus, instance);
    return 'consumed';
  }
}

/** Whether an instance is held. */
export function isHeld<T extends { readonly instance: Pick<CurrentInstance, 'status'> | null }>(
  loaded: T,
): loaded is T & { readonly instance: NonNullable<T['instance']> } {
  return loaded.instance?.status === 'held';
}

/** A stored delivery, as it is; its body is not checked. */
export function deliveryOf({ tenant, key }: Pick<Stimulus, 'tenant' | 'key'>, envelope: Envelope): Stimulus {
  const cause = { kind: 'message', envelope, message: envelope.body as object, delivery: true } as const;
  return { tenant, key, messageId: envelope.id, work: null, cause };
}

/** Whether the stimulus is the delivery that waits, or has waited, of which the inbox says so. */
export function isOpenDelivery({ cause }: Stimulus, { outcome }: InboxRecord): boolean {
  return cause.kind === 'message' && (cause.delivery || cause.replay === true) && outcome === 'deferred';
}
