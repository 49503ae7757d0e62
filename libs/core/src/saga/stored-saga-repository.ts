import { milliseconds, type Duration } from '../message/duration.js';
import { parseJson } from '../message/json.js';
import type { Clock } from '../ports/clock.js';
import type { InstanceFilter } from '../ports/instance-listing.js';
import type { InstanceStore } from '../ports/instance-store.js';
import type { StoredInstance } from '../ports/records.js';
import type { Audit } from './operator/saga-operator.js';
import type { StoredSagaOperator } from './operator/stored-saga-operator.js';
import type { UndoEntry } from './run/undo-log.js';
import type {
  SagaHistoryEntry,
  SagaInstance,
  SagaListOptions,
  SagaPage,
  SagaReadOptions,
  SagaRepository,
  SagaWaitOptions,
} from './saga-repository.js';
import { MOST_PER_PAGE, SagaListingError } from './saga-errors.js';
import type { AnySaga, DataOf, StateOf } from './saga-types.js';
import { storedStatesWithin } from './states.js';
import type { InstanceWaits } from './wait/instance-waits.js';
import { waitUntil, type Until } from './wait/wait-until.js';

/** Pages of this size are read when all instances of a listing are asked for. */
const PAGE = 200;

/** The typed reading side of an {@link InstanceStore} for one saga. */
export class StoredSagaRepository<G extends AnySaga> implements SagaRepository<G> {
  constructor(
    private readonly definition: G,
    private readonly store: InstanceStore,
    private readonly clock: Clock,
    private readonly defaultTenant: () => string,
    private readonly waits: InstanceWaits,
    private readonly operator: StoredSagaOperator,
  ) {}

  find(id: string, options: SagaReadOptions = {}): Promise<SagaInstance<G> | undefined> {
    return this.load({ id }, options);
  }

  findByCorrelation(key: string, options: SagaReadOptions = {}): Promise<SagaInstance<G> | undefined> {
    return this.load({ key: { name: this.definition.correlateBy, value: key } }, options);
  }

  async *findByKey(
    key: G['types']['words']['key'],
    value: string,
    options: SagaReadOptions = {},
  ): AsyncGenerator<SagaInstance<G>> {
    const record = { name: key as string, value };
    if (this.definition.keys.get(record.name) === 'many') {
      yield* this.all({ key: record, order: 'oldest' }, options);
      return;
    }
    const found = await this.load({ key: record }, options);
    if (found !== undefined) yield found;
  }

  findByState(state: StateOf<G>, options: SagaReadOptions = {}): AsyncIterable<SagaInstance<G>> {
    const states = storedStatesWithin(this.definition.nodes, state);
    return this.all({ states, order: 'oldest' }, options);
  }

  findStale(idle: Duration | number, options: SagaReadOptions = {}): AsyncIterable<SagaInstance<G>> {
    return this.all({ idleMs: milliseconds(idle), order: 'oldest' }, options);
  }

  async list(options: SagaListOptions = {}): Promise<SagaPage<G>> {
    const { limit, cursor } = options;
    const { name } = this.definition;
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= MOST_PER_PAGE))
      throw new SagaListingError(name, 'limit', limit);
    try {
      return await this.page(
        {
          order: 'newest',
          ...(limit === undefined ? {} : { limit }),
          ...(cursor === undefined ? {} : { cursor }),
        },
        options,
      );
    } catch (error) {
      // What stores throw for a cursor that is none of theirs.
      throw error instanceof RangeError ? new SagaListingError(name, 'cursor', cursor, error) : error;
    }
  }

  async waitUntil(
    instance: string | { readonly key: string },
    until: StateOf<G> | readonly StateOf<G>[] | ((instance: SagaInstance<G>) => boolean),
    options: SagaWaitOptions = {},
  ): Promise<SagaInstance<G>> {
    const { definition, store, clock, waits } = this;
    const by =
      typeof instance === 'string'
        ? { id: instance }
        : { key: { name: definition.correlateBy, value: instance.key } };
    const found = await waitUntil(
      { store, clock, waits },
      { tenant: this.tenant(options), saga: definition.name, by },
      untilOf(until),
      { timeout: options.timeout ?? '30s', signal: options.signal },
    );
    return instanceOf<G>(found);
  }

  async save(instance: SagaInstance<G>, data: DataOf<G>, audit: Audit): Promise<SagaInstance<G>> {
    const { id, tenant, version } = instance;
    await this.operator.act('save', { saga: this.definition, id, tenant }, audit, { data, version });
    return (await this.find(id, { tenant })) ?? instance;
  }

  delete(instance: SagaInstance<G>, audit: Audit): Promise<void> {
    return this.operator.remove(this.definition, instance, audit, false);
  }

  archive(instance: SagaInstance<G>, audit: Audit): Promise<void> {
    return this.operator.remove(this.definition, instance, audit, true);
  }

  async archived(id: string, options: SagaReadOptions = {}): Promise<SagaInstance<G> | undefined> {
    const found = await this.store.archived({ tenant: this.tenant(options), saga: this.definition.name, id });
    return found === null ? undefined : instanceOf<G>(found.instance);
  }

  async history(id: string, options: SagaReadOptions = {}): Promise<readonly SagaHistoryEntry[]> {
    const lines = await this.store.history({ tenant: this.tenant(options), saga: this.definition.name, id });
    return lines.map(({ at, kind, name, messageId, from, to, detail }) => ({
      at: new Date(at),
      kind,
      name,
      messageId,
      from,
      to,
      ...(detail === null ? {} : { detail: parseJson(detail) }),
    }));
  }

  private async load(
    by: { readonly id: string } | { readonly key: { readonly name: string; readonly value: string } },
    options: SagaReadOptions,
  ): Promise<SagaInstance<G> | undefined> {
    const request = { tenant: this.tenant(options), saga: this.definition.name, by, messageId: '' };
    const [result] = await this.store.load([request], { now: this.clock.storeNow() });
    return result?.instance ? instanceOf<G>(result.instance) : undefined;
  }

  private async *all(
    filter: Omit<InstanceFilter, 'tenant' | 'saga'>,
    options: SagaReadOptions,
  ): AsyncGenerator<SagaInstance<G>> {
    let cursor: string | null = null;
    do {
      const page: SagaPage<G> = await this.page(
        { ...filter, limit: PAGE, ...(cursor === null ? {} : { cursor }) },
        options,
      );
      yield* page.items;
      cursor = page.next;
    } while (cursor !== null);
  }

  private async page(
    filter: Omit<InstanceFilter, 'tenant' | 'saga'>,
    options: SagaReadOptions,
  ): Promise<SagaPage<G>> {
    const page = await this.store.query(
      { ...filter, tenant: this.tenant(options), saga: this.definition.name },
      { now: this.clock.storeNow() },
    );
    return { items: page.items.map((item) => instanceOf<G>(item)), next: page.next };
  }

  private tenant(options: SagaReadOptions): string {
    return options.tenant ?? this.defaultTenant();
  }
}

function untilOf<G extends AnySaga>(
  until: string | readonly string[] | ((instance: SagaInstance<G>) => boolean),
): Until {
  if (typeof until === 'function') return (stored) => until(instanceOf<G>(stored));
  return typeof until === 'string' ? [until] : until;
}

function instanceOf<G extends AnySaga>(stored: StoredInstance): SagaInstance<G> {
  const undo = (parseJson(stored.undo) as readonly UndoEntry[]).map(
    ({ no, name, status, error, reason }) => ({
      no,
      name,
      status,
      ...(error === undefined ? {} : { error }),
      ...(reason === undefined ? {} : { reason }),
    }),
  );
  return Object.freeze({
    id: stored.id,
    tenant: stored.tenant,
    version: stored.version,
    definitionVersion: stored.definitionVersion,
    state: stored.state as StateOf<G>,
    status: stored.status,
    data: Object.freeze(parseJson(stored.data)) as DataOf<G>,
    undo,
    createdAt: new Date(stored.createdAt),
    updatedAt: new Date(stored.updatedAt),
    endedAt: stored.endedAt === null ? null : new Date(stored.endedAt),
  });
}
