import { toJson } from '../../message/json.js';
import type { Envelope } from '../../message/envelope.js';
import type { Commit, InstanceStore, LoadResult, StoreTransaction } from '../../ports/instance-store.js';
import type { DeliveryRecord, InstanceState, SagaStatus, TimerRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { InstanceAbsentError, SagaConflictError, UnexpectedEventError } from '../saga-errors.js';
import { buildCommit, type Change } from './build-commit.js';
import type { ChangeMaker } from './change-maker.js';
import { checkedPlan } from './checked-plan.js';
import { keyOf, primaryKeyOf, refuseTakenKeys } from './correlation.js';
import { BehindDeliveryError, isOfTheMessage } from './delivery-error.js';
import { freezeMessage } from './freeze-message.js';
import { ejectCommit, whileHeld } from './hold.js';
import { deliveryOf, isHeld } from './holding.js';
import { overCommit } from './over.js';
import { mustDrain, planFor, type Plan } from './plan.js';
import { absentPolicy } from './policies.js';
import type { Stimulus } from './stimulus.js';
import { ejectUnreadable, readDelivery } from './stored-delivery.js';

/** What became of a message in one saga. */
export interface HandledSaga {
  readonly saga: string;
  /** Id of the instance; `null`: there is none. */
  readonly id: string | null;
  /** `applied`, `ignored`, `late`, `deferred`, `parked`, `discarded`; of a message that was handled before, what it was then. */
  readonly outcome: string;
  /** How the instance stands in the transaction. */
  readonly state: string | null;
  readonly status: SagaStatus | null;
}

/** What handling in a caller's transaction needs of its node. */
export interface JoinedPorts {
  readonly store: InstanceStore;
  readonly changes: ChangeMaker;
  readonly versionsOf: (saga: string) => ReadonlyMap<number, CompiledSaga>;
  /** Longest JSON that is stored, in characters. */
  readonly maxPayload: number;
  /** Timers may be there when the transaction commits: somebody has to look for them when they are due. */
  readonly armed: (timers: readonly TimerRecord[]) => void;
}

type At = Pick<Stimulus, 'tenant' | 'key'> & { readonly messageId?: string };

/**
 * Handles messages in a transaction of the caller's: single, and once. What others do at the same time is a conflict, after which the transaction can
 * only be rolled back; handlers are not run again, since what the caller has done besides can't be.
 */
export class JoinedRun {
  constructor(
    private readonly ports: JoinedPorts,
    private readonly tx: StoreTransaction,
  ) {}

  /** @throws SagaConflictError, SagaKeyTakenError, BehindDeliveryError; SagaVersionError, SagaMigrationError, and what handlers throw */
  async handle(saga: CompiledSaga, envelope: Envelope): Promise<HandledSaga> {
    const { tenant } = envelope;
    const key = await this.primaryKey(saga, {
      tenant,
      key: keyOf(saga.definition, envelope.name, envelope.body as object),
    });
    const message = freezeMessage(saga, envelope);
    const cause = { kind: 'message', envelope, message, delivery: false } as const;
    const stimulus: Stimulus = { tenant, key, messageId: envelope.id, work: null, cause };
    const loaded = await this.load(saga, stimulus);
    if (!mustDrain(stimulus, loaded)) return this.once(saga, stimulus, loaded);
    await this.drain(saga, stimulus, loaded);
    return this.once(saga, stimulus, await this.load(saga, stimulus));
  }

  private async primaryKey(saga: CompiledSaga, at: At): Promise<Stimulus['key']> {
    if (at.key.name === saga.definition.correlateBy) return at.key;
    const { instance } = await this.load(saga, at);
    return (instance && primaryKeyOf(saga.definition, instance)) ?? at.key;
  }

  private async load({ definition }: CompiledSaga, at: At): Promise<LoadResult> {
    const { tenant, key, messageId = '' } = at;
    const [loaded] = await this.tx.load([{ tenant, saga: definition.name, by: { key }, messageId }]);
    return loaded as LoadResult;
  }

  private async once(saga: CompiledSaga, stimulus: Stimulus, known: LoadResult): Promise<HandledSaga> {
    const { name } = saga.definition;
    const { versionsOf, maxPayload } = this.ports;
    const plan = await checkedPlan(planFor(saga, versionsOf(name), stimulus, known), known, maxPayload);
    switch (plan.kind) {
      case 'repeated':
        return handled(name, plan.seen.outcome, known.instance);
      case 'wait':
        return this.wait(saga, stimulus, plan);
      case 'late':
        return handled(name, 'late', null);
      case 'absent':
        return handled(name, await this.absent(saga, stimulus), null);
      case 'older':
        throw plan.error;
      case 'over':
        return this.recordLate(saga, stimulus, plan);
      case 'create':
      case 'run':
        return this.step(saga, stimulus, known, plan);
      default:
        return plan satisfies never;
    }
  }

  private async step(
    highest: CompiledSaga,
    stimulus: Stimulus,
    known: LoadResult,
    plan: Extract<Plan, { kind: 'create' | 'run' }>,
  ): Promise<HandledSaga> {
    const { saga, instance, former } =
      plan.kind === 'run'
        ? { ...plan, former: null }
        : { saga: highest, instance: null, former: plan.former };
    const change = await this.ports.changes.make(saga, instance, stimulus);
    // A delivery that is still not answered, or the start of the ended instance itself.
    if (change === null || change.ref.id === former?.id)
      return handled(saga.definition.name, 'unanswered', known.instance);
    const commit = { ...buildCommit(change), supersedes: former?.id ?? null };
    await this.commit(commit, change);
    return handled(saga.definition.name, change.outcome, { ...commit.next, id: commit.ref.id });
  }

  private async recordLate(
    saga: CompiledSaga,
    stimulus: Stimulus,
    { instance, error }: Extract<Plan, { kind: 'over' }>,
  ): Promise<HandledSaga> {
    const commit = overCommit(instance, stimulus, error, []);
    if (commit !== null) await this.commit(commit, { saga });
    return handled(saga.definition.name, 'late', instance);
  }

  private async wait(
    saga: CompiledSaga,
    stimulus: Stimulus,
    { instance }: Extract<Plan, { kind: 'wait' }>,
  ): Promise<HandledSaga> {
    const commit = whileHeld(instance, stimulus);
    if (commit !== null) await this.commit(commit, { saga });
    return handled(saga.definition.name, 'deferred', instance);
  }

  private async absent(saga: CompiledSaga, { tenant, key, messageId, cause }: Stimulus): Promise<string> {
    const { envelope } = cause as Extract<Stimulus['cause'], { kind: 'message' }>;
    const { patience, name } = saga.definition;
    const policy = absentPolicy(saga.definition, envelope.name);
    if (policy === 'redeliver') throw new InstanceAbsentError(name, envelope.name);
    if (policy === 'fault') throw new UnexpectedEventError(name, envelope.name, null);
    if (policy === 'discard') return 'discarded';
    const payload = toJson(envelope, 'parked message');
    const delivery = { messageId, payload, ttlMs: patience };
    const [parked] = await this.tx.park([{ tenant, saga: name, key, delivery, done: [] }]);
    if (parked === 'present') throw conflict(saga);
    return 'parked';
  }

  /** What waits for the instance comes before a newcomer, in the same transaction. */
  private async drain(saga: CompiledSaga, at: Stimulus, { instance }: LoadResult): Promise<void> {
    if (instance === null) return;
    const done = new Set<string>();
    for (let before = -1; before < done.size;) {
      before = done.size;
      for (const { messageId, payload } of await this.tx.deliveries(instance)) {
        if (done.has(messageId)) continue;
        const loaded = await this.load(saga, { ...at, messageId });
        if (isHeld(loaded)) return;
        if (await this.deliver(saga, at, loaded, { messageId, payload })) done.add(messageId);
      }
    }
  }

  /** `false`: it goes on waiting. */
  private async deliver(
    saga: CompiledSaga,
    at: Stimulus,
    loaded: LoadResult,
    delivery: Pick<DeliveryRecord, 'messageId' | 'payload'>,
  ): Promise<boolean> {
    const envelope = readDelivery(delivery);
    if (envelope === undefined) {
      if (loaded.instance !== null) await this.commit(ejectUnreadable(loaded.instance, delivery), { saga });
      return loaded.instance !== null;
    }
    try {
      const { outcome } = await this.once(
        saga,
        await this.ports.changes.delivered(saga, at, envelope),
        loaded,
      );
      return outcome !== 'unanswered';
    } catch (error) {
      if (error instanceof SagaConflictError) throw error;
      if (isOfTheMessage(error) && loaded.instance !== null) {
        await this.commit(ejectCommit(loaded.instance, deliveryOf(at, envelope), envelope), { saga });
        return true;
      }
      throw new BehindDeliveryError(
        `'${envelope.name}' ${envelope.id}, which waits for the same instance of saga '${saga.definition.name}', could not be handled before: ${String(error)}`,
        { cause: error },
      );
    }
  }

  private async commit(commit: Commit, { saga }: Pick<Change, 'saga'>): Promise<void> {
    const result = await this.tx.commit(commit);
    if (result.outcome === 'conflict') {
      const { store } = this.ports;
      // Asked beside the transaction, which may be unable to answer now.
      await refuseTakenKeys(saga, commit, async (at) => {
        const by = { key: at.key };
        const request = { tenant: at.tenant, saga: saga.definition.name, by, messageId: '' };
        return (await store.load([request], { now: null }))[0] as LoadResult;
      });
      throw conflict(saga);
    }
    this.ports.armed(commit.timers.arm);
  }
}

function conflict({ definition }: CompiledSaga): SagaConflictError {
  return new SagaConflictError(
    definition.name,
    1,
    'Roll this transaction back, and run it again from its beginning.',
  );
}

function handled(
  saga: string,
  outcome: string,
  instance: (Pick<InstanceState, 'state' | 'status'> & { readonly id: string }) | null,
): HandledSaga {
  const { id = null, state = null, status = null } = instance ?? {};
  return { saga, id, outcome, state, status };
}
