import { toJson } from '../../message/json.js';
import type { Envelope } from '../../message/envelope.js';
import type { Clock } from '../../ports/clock.js';
import type { InstanceStore } from '../../ports/instance-store.js';
import type { ClaimedWork, KeyRecord, StoredInstance, WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { primaryKeyOf } from './correlation.js';
import type { SagaWork } from './stimulus.js';

const PAGE = 1_000;

/** What a fan-out needs of its node. */
export interface FanOutPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  /** There is work that nobody was told of. */
  readonly hint: () => void;
}

/** Makes of a message whose key many instances have one message for each, in one commit with the end of its own row. */
export class FanOut {
  constructor(private readonly ports: FanOutPorts) {}

  /** For how many instances it was; none: nothing was written. */
  async spread(saga: CompiledSaga, work: ClaimedWork, envelope: Envelope, key: KeyRecord): Promise<number> {
    const instances = await this.instances(saga, envelope, key);
    const rows = instances.flatMap((instance) => rowFor(saga, work, envelope, instance));
    if (rows.length === 0) return 0;
    const { store, clock, hint } = this.ports;
    await store.transaction(
      async (tx) => {
        await tx.enqueue(rows);
        await tx.complete([work]);
      },
      { now: clock.storeNow() },
    );
    hint();
    return rows.length;
  }

  private async instances(
    { definition, late }: CompiledSaga,
    envelope: Envelope,
    key: KeyRecord,
  ): Promise<readonly StoredInstance[]> {
    const { tenant, name } = envelope;
    // Those that have ended would only record that it came late.
    const alive = late.ended.has(name) ? {} : { ended: false };
    const found: StoredInstance[] = [];
    let cursor: string | null = null;
    do {
      const page = await this.ports.store.query(
        {
          ...alive,
          tenant,
          saga: definition.name,
          key,
          order: 'oldest',
          limit: PAGE,
          ...(cursor === null ? {} : { cursor }),
        },
        { now: this.ports.clock.storeNow() },
      );
      found.push(...page.items);
      cursor = page.next;
    } while (cursor !== null);
    return found;
  }
}

/** The message for one instance: its own row and lane, so that none waits for another's. */
function rowFor(
  { definition }: CompiledSaga,
  work: ClaimedWork,
  envelope: Envelope,
  instance: StoredInstance,
): WorkRecord[] {
  const to = primaryKeyOf(definition, instance);
  if (to === undefined) return [];
  const payload: SagaWork = { kind: 'message', envelope, to };
  return [
    {
      tenant: work.tenant,
      destination: work.destination,
      id: `${work.id}>${instance.id}`,
      lane: work.lane === null ? null : `${work.lane}>${instance.id}`,
      payload: toJson(payload, `message '${envelope.name}'`),
      delayMs: 0,
    },
  ];
}
