import type { Commit, InstanceFilter, InstanceStore, WorkRecord } from '@nestjs-orchestrator/core/ports';
import { NOW, SAGA, TENANT } from './rows.js';

const AT = { now: NOW };
const BY = { ...AT, owner: 'node-a', leaseMs: 30_000 };
const ref = (id: string) => ({ tenant: TENANT, saga: SAGA, id });
const key = (value: string, name = 'orderId') => ({ name, value });
const workKey = (id: string) => ({ tenant: TENANT, destination: 'handler:pay', id });
const work = (id: string): WorkRecord => ({ ...workKey(id), lane: `lane-${id}`, payload: '{}', delayMs: 0 });

/** A commit that has something of everything. */
function change(id: string, expectedVersion: number, seen: string): Commit {
  return {
    ...{ ref: ref(id), expectedVersion, lease: null, supersedes: null, ifUnseen: true, wakeIfParked: null },
    next: {
      ...{ definitionVersion: 1, state: 'paid', status: 'running', ended: false },
      ...{ data: '{}', machine: '{}', undo: '[]', hold: null },
    },
    keys: [key(`new-${id}`, 'consignment'), { ...key(`c-${id}`, 'customer'), many: true }],
    inbox: { messageId: seen, outcome: 'applied', reply: null },
    work: [work(`new-${id}`)],
    timers: {
      arm: [{ ...ref(id), name: 'later', token: 't', delayMs: 1_000, payload: '{}' }],
      disarm: ['timeout'],
    },
    history: [{ kind: 'event', name: 'paid', messageId: seen, from: 'open', to: 'paid', detail: null }],
    deliveries: {
      add: [{ messageId: `later-${id}`, payload: '{}', ttlMs: 1_000 }],
      done: [`d-${id.slice(2)}`],
    },
    done: [workKey(`w-${id.slice(2)}`)],
  };
}

/** A commit that moves an instance which is there, and does no more. */
function moved(id: string): Commit {
  const timers = { arm: [], disarm: [] };
  return { ...change(id, 1, 'm-new'), keys: [], timers, deliveries: { add: [], done: [] }, done: [] };
}

/**
 * Asks the store for everything that it can do.
 *
 * @param spoil makes the undo steps of an instance such as nobody can read
 */
export async function callAll(store: InstanceStore, rows: number, spoil: () => Promise<void>): Promise<void> {
  const middle = Math.floor(rows / 2 / 10) * 10;
  const id = (offset: number): string => `i-${middle + offset}`;
  await instances(store, id, middle);
  await lists(store, id);
  await messages(store, middle);
  await timers(store);
  await joined(store, id);
  await upkeep(store);
  await spoil();
  await store.census();
}

async function instances(
  store: InstanceStore,
  id: (offset: number) => string,
  middle: number,
): Promise<void> {
  const at = { tenant: TENANT, saga: SAGA, messageId: 'm-new' };
  const asked = [
    { ...at, by: { key: key(`o-${middle + 5}`) } },
    { ...at, by: { id: id(6) } },
    { ...at, by: { key: key('gone-7') } },
  ];
  await store.load(asked, AT);
  const batch = Array.from({ length: 50 }, (_, n) => change(id(10 * n + 5), 1, 'm-new'));
  await store.commit([...batch, { ...change('new', 0, 'm-new'), keys: [key('new')] }], BY);
  await store.commit([moved(id(3)), moved(id(6))], BY);
  await store.lease({ ref: ref(id(7)), token: 'mine', ...BY });
  await store.unlease(ref(id(7)), 'mine');
  await store.keys(ref(id(8)));
  await store.history(ref(id(8)));
  await store.deliveries(ref(id(8)));
  await store.remove({ ref: ref(id(2)), expectedVersion: 1, archive: true, ...AT });
  await store.archived(ref('g-7'));
  const delivery = { messageId: 'early', payload: '{}', ttlMs: 1_000 };
  await store.park(
    [{ tenant: TENANT, saga: SAGA, key: key('not-yet'), delivery, done: [workKey('w-99')] }],
    AT,
  );
}

async function lists(store: InstanceStore, id: (offset: number) => string): Promise<void> {
  const of = { tenant: TENANT, saga: SAGA, limit: 50 };
  const filters: readonly Partial<InstanceFilter>[] = [
    {},
    { states: ['open'] },
    { statuses: ['held'] },
    { idleMs: 1_000 },
    { key: key('c-7', 'customer') },
  ];
  for (const filter of filters)
    for (const order of ['newest', 'oldest'] as const) await store.query({ ...of, ...filter, order }, AT);
  await store.load([{ tenant: TENANT, saga: SAGA, by: { id: id(9) }, messageId: '' }], AT);
  for (const tenant of [undefined, TENANT])
    for (const destination of [undefined, 'saga:order'])
      for (const settled of [false, true]) {
        const by = { ...(tenant && { tenant }), ...(destination && { destination }) };
        await store.deadLetters({ ...by, settled, limit: 100 });
      }
}

async function messages(store: InstanceStore, middle: number): Promise<void> {
  await store.enqueue([work('fresh-1'), work('fresh-2')], BY);
  await store.finish([{ message: work('fresh-1'), outcome: 'handled', work: [work('fresh-3')] }], BY);
  await store.consumed([workKey(`w-${middle}`)]);
  const claim = { ...BY, destinations: ['saga:order', 'handler:pay'], limit: 32 };
  const { items } = await store.claimWork(claim);
  // Everything that has no lane is due no more: what stands in lanes is looked for one by one.
  await store.claimWork({ ...claim, limit: 5_000 });
  // Hardly a row of this destination is the first of its lane.
  await store.claimWork({ ...claim, destinations: ['handler:crowded'] });
  const [one, two, three] = items;
  if (one === undefined || two === undefined || three === undefined)
    throw new Error('There was nothing to claim.');
  await store.beginWork(one, BY);
  await store.renewWork(items, BY);
  await store.completeWork([one]);
  await store.releaseWork(two, 1_000, 'again', AT);
  await store.buryWork(three, 'no more', AT);
  const [letter] = await store.deadLetters({ tenant: TENANT, limit: 1 });
  if (letter === undefined) throw new Error('There is no dead letter.');
  const settlement = { verb: 'replayed', by: 'ada', reason: '' } as const;
  await store.settleDeadLetter({
    tenant: TENANT,
    letter: letter.letter,
    settlement,
    work: work('replayed'),
    ...AT,
  });
}

async function timers(store: InstanceStore): Promise<void> {
  const { items } = await store.claimTimers({ ...BY, destinations: [SAGA], limit: 200 });
  const [one, two] = items;
  if (one === undefined || two === undefined) throw new Error('No timer was due.');
  await store.beginTimer(one, BY);
  await store.dropTimer(one);
  await store.releaseTimer(two, 1_000, AT);
}

async function joined(store: InstanceStore, id: (offset: number) => string): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.consume(work('joined'), 'handled');
    await tx.enqueue([work('joined-1')]);
    await tx.handOver([work('joined-1')], [work('joined-2')], BY);
    await tx.complete([work('joined-2')]);
    await tx.deliveries(ref(id(18)));
  }, AT);
}

async function upkeep(store: InstanceStore): Promise<void> {
  await store.expireDeliveries(AT);
  await store.purge({ ...AT, inboxMs: 0, lettersMs: 0, tombstonesMs: 0, limit: 1_000 });
  await store.learnNames([{ saga: SAGA, version: 1, kind: 'state', name: 'open' }]);
  await store.census();
}
