import { parseJson, toJson } from '../../message/json.js';
import type { Clock } from '../../ports/clock.js';
import type { IdSource } from '../../ports/ids.js';
import type { InstanceStore } from '../../ports/instance-store.js';
import type { DeadLetter, InstanceRef, KeyRecord, StoredInstance, WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { hasEnded } from '../run/decision.js';
import { SagaConflictError } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import type { SagaRunner } from '../run/saga-runner.js';
import type { OperatorCause } from './operator-cause.js';
import { OperatorRefusedError } from './operator-errors.js';
import {
  SagaOperator,
  type Audit,
  type DeadLetterOptions,
  type OperatorOutcome,
  type ReasonedAudit,
  type SagaTarget,
  type StepChoice,
} from './saga-operator.js';

/** What an operator needs of its node. */
export interface OperatorPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Tenant of targets that name none. */
  readonly tenant: () => string;
  /** Tenant of whoever calls right now, if that is told. */
  readonly currentTenant: () => string | undefined;
  readonly runner: SagaRunner;
  /** The highest version of a saga; `undefined`: this node does not have it. */
  readonly latest: (saga: string) => CompiledSaga | undefined;
}

/** Letters that are read at a time. */
const PAGE = 100;
/** Longest texts of an audit, in characters. */
const LONGEST_NAME = 512;
const LONGEST_REASON = 4_000;

/** Brings an operator's actions to instances, as messages. */
export class StoredSagaOperator extends SagaOperator {
  constructor(private readonly ports: OperatorPorts) {
    super();
  }

  override retry(target: SagaTarget & StepChoice, audit: Audit): Promise<OperatorOutcome> {
    return this.act('retry', target, audit, stepOf(target));
  }

  override skip(target: SagaTarget & StepChoice, audit: ReasonedAudit): Promise<OperatorOutcome> {
    return this.act('skip', target, audit, stepOf(target));
  }

  override resolve(target: SagaTarget & StepChoice, audit: ReasonedAudit): Promise<OperatorOutcome> {
    return this.act('resolve', target, audit, stepOf(target));
  }

  override cancel(target: SagaTarget, audit: ReasonedAudit): Promise<OperatorOutcome> {
    return this.act('cancel', target, audit);
  }

  override replay(target: SagaTarget, audit: Audit): Promise<OperatorOutcome> {
    return this.act('replay', target, audit);
  }

  override async *deadLetters(options: DeadLetterOptions = {}): AsyncGenerator<DeadLetter> {
    let before: string | undefined;
    // As who asks first, whoever reads the pages.
    const tenant = options.tenant ?? this.ports.currentTenant();
    for (;;) {
      const filter = {
        ...options,
        ...(tenant === undefined ? {} : { tenant }),
        limit: PAGE,
        ...(before === undefined ? {} : { before }),
      };
      const page = await this.ports.store.deadLetters(filter);
      yield* page;
      before = page.at(-1)?.letter;
      if (page.length < PAGE) return;
    }
  }

  override replayLetter(letter: DeadLetter, audit: Audit): Promise<boolean> {
    return this.settle(letter, 'replayed', audit, replayOf(letter));
  }

  override discardLetter(letter: DeadLetter, audit: ReasonedAudit): Promise<boolean> {
    return this.settle(letter, 'discarded', audit, null);
  }

  /** Commits an action into its instance, with what it says of itself. */
  async act(
    verb: OperatorCause['verb'],
    target: SagaTarget,
    audit: Audit,
    more: Pick<OperatorCause, 'step' | 'data' | 'version'> = {},
  ): Promise<OperatorOutcome> {
    checkAudit(verb, target.id, audit);
    const ref = this.refOf(target);
    const saga = this.ports.latest(ref.saga);
    if (saga === undefined) {
      throw new OperatorRefusedError(
        verb,
        ref.id,
        `this node does not have saga '${ref.saga}'. Ask one that has.`,
      );
    }
    const key = await this.keyOf(verb, ref, saga);
    const { by, reason = null, id = this.ports.ids.next() } = audit;
    const cause: OperatorCause = { kind: 'operator', verb, by, reason, instance: ref.id, ...more };
    const { tenant } = ref;
    await this.ports.runner.handle(saga, { tenant, key, messageId: `operator:${id}`, work: null, cause });
    const { version, state, status } = await this.find(verb, ref);
    return { id: ref.id, version, state, status };
  }

  /** Removes an ended instance at the version that was read; the line that says who did it is archived with it. */
  async remove(
    saga: AnySaga,
    { id, tenant, version, status }: Pick<StoredInstance, 'id' | 'tenant' | 'version' | 'status'>,
    audit: Audit,
    archive: boolean,
  ): Promise<void> {
    const verb = archive ? 'archive' : 'delete';
    if (!hasEnded(status))
      throw new OperatorRefusedError(
        verb,
        id,
        `its status is '${status}'; only ended instances are removed, so cancel it first.`,
      );
    const ref = this.refOf({ saga, id, tenant });
    const noted = await this.act(
      'note',
      { saga, id, tenant },
      { ...audit, reason: `${verb}: ${audit.reason ?? ''}` },
    );
    if (noted.version !== version + 1) throw new SagaConflictError(saga.name, 1);
    const now = this.ports.clock.storeNow();
    const end = await this.ports.store.remove({ ref, expectedVersion: noted.version, archive, now });
    if (end === 'conflict') throw new SagaConflictError(saga.name, 1);
  }

  private refOf({ saga, id, tenant = this.ports.tenant() }: SagaTarget): InstanceRef {
    return { tenant, saga: typeof saga === 'string' ? saga : saga.name, id };
  }

  /** The primary key, by which the instance's mailbox is known. */
  private async keyOf(verb: string, ref: InstanceRef, saga: CompiledSaga): Promise<KeyRecord> {
    const keys = await this.ports.store.keys(ref);
    const key = keys.find(({ name }) => name === saga.definition.correlateBy);
    if (key !== undefined) return key;
    await this.find(verb, ref);
    throw new OperatorRefusedError(verb, ref.id, `it has ended, and a new instance has its key.`);
  }

  private async find(verb: string, { tenant, saga, id }: InstanceRef): Promise<StoredInstance> {
    const { store, clock } = this.ports;
    const request = { tenant, saga, by: { id }, messageId: '' };
    const [found] = await store.load([request], { now: clock.storeNow() });
    if (found?.instance) return found.instance;
    throw new OperatorRefusedError(verb, id, `tenant '${tenant}' has no such instance of saga '${saga}'.`);
  }

  private settle(
    { tenant, letter, id }: DeadLetter,
    verb: 'replayed' | 'discarded',
    audit: Audit,
    work: WorkRecord | null,
  ): Promise<boolean> {
    checkAudit(verb, id, audit);
    const { by, reason = '' } = audit;
    const now = this.ports.clock.storeNow();
    return this.ports.store.settleDeadLetter({ tenant, letter, settlement: { verb, by, reason }, work, now });
  }
}

function stepOf({ step }: StepChoice): Pick<OperatorCause, 'step'> {
  return step === undefined ? {} : { step };
}

/** What people are asked for comes from forms: nothing of it is taken for granted. */
function checkAudit(
  verb: string,
  id: string,
  { by, reason = '' }: Partial<Record<keyof Audit, unknown>>,
): void {
  if (typeof by !== 'string' || by.trim() === '' || by.length > LONGEST_NAME)
    throw new OperatorRefusedError(
      verb,
      id,
      `'by' must say who does it, in 1 to ${LONGEST_NAME} characters.`,
    );
  if (typeof reason !== 'string' || reason.length > LONGEST_REASON)
    throw new OperatorRefusedError(
      verb,
      id,
      `'reason' must be a text of at most ${LONGEST_REASON} characters.`,
    );
}

/** The work of a letter. One that expired while it waited was no work yet: its payload is the message alone. */
function replayOf({ tenant, destination, id, payload }: DeadLetter): WorkRecord {
  const parsed = destination.startsWith('saga:') ? parsedOrNot(payload) : undefined;
  const isBare = typeof parsed === 'object' && parsed !== null && !('kind' in parsed);
  const text = isBare
    ? toJson({ kind: 'message', envelope: parsed, replay: true }, 'replayed message')
    : payload;
  return { tenant, destination, id, lane: null, payload: text, delayMs: 0 };
}

/** What can't be read is tried again as it is, and fails as before. */
function parsedOrNot(payload: string): unknown {
  try {
    return parseJson(payload);
  } catch {
    return undefined;
  }
}
