import { type Machine, stateValue, type StateValue } from '@nestjs-orchestrator/statechart';
import type { Clock } from '../../ports/clock.js';
import type { Commit, InstanceStore } from '../../ports/instance-store.js';
import type { InstanceRef, InstanceState, StoredInstance } from '../../ports/records.js';
import { type DurableRecord, epochOf, readRecord, writeRecord } from './durable-record.js';

/** Where durable machines are kept, and by whom. */
export interface DistributedStateStoreOptions {
  readonly store: InstanceStore;
  readonly clock: Clock;
  /** Default: `'default'`. */
  readonly tenant?: string;
  /** The group of the machines: ids are unique in it. */
  readonly group: string;
  /** Id of this process, unique for each start. */
  readonly owner: string;
  /** Characters of JSON that a context, and what is kept beside it, may have. Default: 1 000 000. */
  readonly maxLength?: number;
}

/** A machine as it was found; `seen`: the message that was asked about has been handled. */
export interface FoundRecord {
  readonly definition: string;
  readonly ended: boolean;
  readonly seen: boolean;
  /** Owner epoch of whoever wrote it. */
  readonly epoch: number;
  readonly version: number;
  /** @throws SnapshotError where another definition wrote it */
  read(machine: Machine): DurableRecord;
}

/** `'conflict'`: somebody else has written, or the message was handled before; nothing was written. */
export type WriteResult = { readonly version: number } | 'conflict';

const LEASE_MS = 10_000;
const PAGE = 500;
const PARTITION = 'partition';

/** The states of durable machines, in any `InstanceStore`: snapshot, id of the message and what is to be done are one compare-and-swap. */
export class DistributedStateStore {
  readonly group: string;
  private readonly store: InstanceStore;
  private readonly clock: Clock;
  private readonly tenant: string;
  private readonly owner: string;
  private readonly maxLength: number;

  constructor(options: DistributedStateStoreOptions) {
    const { store, clock, tenant = 'default', group, owner, maxLength = 1_000_000 } = options;
    this.store = store;
    this.clock = clock;
    this.tenant = tenant;
    this.group = group;
    this.owner = owner;
    this.maxLength = maxLength;
  }

  /** The machine of that id; undefined: there is none. Asks about one message as well. */
  async load(id: string, messageId: string): Promise<FoundRecord | undefined> {
    const { tenant, saga } = this.refOf(id);
    const [found] = await this.store.load([{ tenant, saga, by: { id }, messageId }], this.at());
    const instance = found?.instance ?? null;
    return instance === null ? undefined : foundOf(instance, (found?.seen ?? null) !== null);
  }

  /**
   * Writes the record as the version after its own, if that is the last one and the message was never handled. `partition`: creates it there; null where
   * partitions are not used.
   */
  async write(
    machine: Machine,
    id: string,
    record: DurableRecord,
    messageId: string | null,
    partition: number | null,
  ): Promise<WriteResult> {
    const creates = record.version === 0;
    const commit: Commit = {
      ref: this.refOf(id),
      expectedVersion: record.version,
      lease: null,
      supersedes: null,
      next: this.stateOf(machine, record),
      keys: creates && partition !== null ? [{ name: PARTITION, value: `${partition}`, many: true }] : [],
      inbox: messageId === null ? null : { messageId, outcome: 'applied', reply: null },
      ifUnseen: messageId !== null,
      work: [],
      timers: { arm: [], disarm: [] },
      history: [],
      deliveries: { add: [], done: [] },
      wakeIfParked: null,
      done: [],
    };
    const [result] = await this.store.commit([commit], {
      ...this.at(),
      owner: this.owner,
      leaseMs: LEASE_MS,
    });
    if (result instanceof Error) throw result;
    return result?.outcome === 'committed' ? { version: result.version } : 'conflict';
  }

  /** The machines of a partition, or of the group where it is null, that have not ended; with the definition each one needs. */
  async *living(
    partition: number | null,
  ): AsyncGenerator<{ readonly id: string; readonly found: FoundRecord }> {
    let cursor: string | undefined;
    const key = partition === null ? undefined : { name: PARTITION, value: `${partition}` };
    do {
      const page = await this.store.query(
        {
          tenant: this.tenant,
          saga: this.refOf('').saga,
          ended: false,
          order: 'oldest',
          limit: PAGE,
          ...(key === undefined ? {} : { key }),
          ...(cursor === undefined ? {} : { cursor }),
        },
        this.at(),
      );
      for (const instance of page.items) yield { id: instance.id, found: foundOf(instance, false) };
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }

  /**
   * Forgets a machine, so that its id is free again. `false`: it is not there, or was written meanwhile. `version`: the one that it must have; default:
   * the present one.
   */
  async remove(id: string, version?: number): Promise<boolean> {
    const expectedVersion = version ?? (await this.load(id, ''))?.version;
    if (expectedVersion === undefined) return false;
    const request = { ref: this.refOf(id), expectedVersion, archive: false, ...this.at() };
    return (await this.store.remove(request)) === 'removed';
  }

  private at(): { readonly now: number | null } {
    return { now: this.clock.storeNow() };
  }

  private refOf(id: string): InstanceRef {
    return { tenant: this.tenant, saga: `machine:${this.group}`, id };
  }

  private stateOf(machine: Machine, record: DurableRecord): InstanceState {
    const { status } = record.snapshot;
    return {
      definitionVersion: 1,
      state: textOf(stateValue(machine, record.snapshot)),
      status: status === 'active' ? 'running' : status === 'done' ? 'completed' : 'cancelled',
      ...writeRecord(machine, record, this.maxLength),
      undo: '[]',
      hold: null,
      ended: status !== 'active',
    };
  }
}

function foundOf(instance: StoredInstance, seen: boolean): FoundRecord {
  return {
    definition: (JSON.parse(instance.machine) as { snapshot: { machine: string } }).snapshot.machine,
    ended: instance.ended,
    seen,
    epoch: epochOf(instance),
    version: instance.version,
    read: (machine) => readRecord(machine, instance.version, instance),
  };
}

/** Names of active states, dotted where nested, with commas between those of parallel regions. */
function textOf(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([name, inner]) => {
      const text = textOf(inner);
      return text === '' ? name : `${name}.${text}`;
    })
    .join(',');
}
