import type {
  DeadLetterFilter,
  InstanceStore,
  SettleRequest,
  WorkRecord,
} from '@nestjs-orchestrator/core/ports';
import { equal, holds } from '../checks.js';
import {
  asking,
  by,
  claimedIds,
  delivery,
  DESTINATION,
  key,
  LEASE_MS,
  missing,
  parking,
  SAGA,
  T0,
  TENANT,
  work,
  workKey,
} from './fixtures.js';
import { about } from './scene.js';

async function buried(store: InstanceStore, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await store.enqueue([work(id)], by());
    await store.buryWork(workKey(work(id)), 'broken', { now: T0 });
  }
}

async function letterOf(store: InstanceStore, id: string): Promise<string> {
  const letters = await store.deadLetters({});
  return letters.find((each) => each.id === id)?.letter ?? missing(`the letter of ${id}`);
}

/** More than there are. */
const MOST_LISTED = 1_000;

async function allPages(store: InstanceStore, filter: DeadLetterFilter): Promise<readonly string[]> {
  const ids: string[] = [];
  let before: string | undefined;
  for (;;) {
    const page = await store.deadLetters({
      ...filter,
      limit: 2,
      ...(before === undefined ? {} : { before }),
    });
    ids.push(...page.map(({ id }) => id));
    before = page.at(-1)?.letter;
    if (before === undefined) return ids;
    holds(ids.length <= MOST_LISTED, `a listing by pages that comes to an end: ${JSON.stringify(filter)}`);
  }
}

const mixtures: readonly DeadLetterFilter[] = [
  {},
  { tenant: TENANT },
  { tenant: 'other' },
  { tenant: 'none' },
]
  .flatMap((by) => [by, { ...by, destination: 'saga:x' }, { ...by, destination: DESTINATION }])
  .flatMap((by) => [by, { ...by, settled: false }, { ...by, settled: true }]);

function isAsked(filter: DeadLetterFilter, { tenant, destination }: WorkRecord): boolean {
  return (filter.tenant ?? tenant) === tenant && (filter.destination ?? destination) === destination;
}

function settling(letter: string, fields: Partial<SettleRequest> = {}): SettleRequest {
  const settlement = { verb: 'discarded', by: 'ada', reason: 'not ours' } as const;
  return { tenant: TENANT, letter, settlement, work: null, now: T0 + 5, ...fields };
}

function replaying(letter: string, id: string): SettleRequest {
  const settlement = { verb: 'replayed', by: 'ada', reason: 'fixed' } as const;
  return settling(letter, { settlement, work: work(id) });
}

export const deadLetters = about('dead letters', {
  'are listed by tenant, and no more than asked for': async ({ store }) => {
    const rows = [work('a'), work('b'), work('c'), work('d', { tenant: 'other' })];
    await store.enqueue(rows, by());
    for (const row of rows) await store.buryWork(workKey(row), 'broken', { now: T0 });
    const idsOf = async (filter: { tenant?: string; limit?: number }) =>
      (await store.deadLetters(filter)).map(({ id }) => id).toSorted();
    equal(await idsOf({ tenant: 'other' }), ['d'], 'those of one tenant');
    equal(await idsOf({}), ['a', 'b', 'c', 'd'], 'those of all tenants');
    equal((await idsOf({ limit: 2 })).length, 2, 'how many of at most 2');
    equal(await idsOf({ tenant: 'none' }), [], 'those of a tenant without any');
  },

  'are listed newest first, page by page, by destination': async ({ store }) => {
    await buried(store, 'a', 'b', 'c');
    await store.enqueue([work('x', { destination: 'saga:x' })], by());
    await store.buryWork({ ...workKey(work('x')), destination: 'saga:x' }, 'broken', { now: T0 });
    const first = await store.deadLetters({ destination: work('a').destination, limit: 2 });
    equal(
      first.map(({ id }) => id),
      ['c', 'b'],
      'the first page',
    );
    const before = first.at(-1)?.letter ?? '';
    const second = await store.deadLetters({ destination: work('a').destination, limit: 2, before });
    equal(
      second.map(({ id }) => id),
      ['a'],
      'the second page',
    );
    equal((await store.deadLetters({ destination: 'saga:x' })).length, 1, 'those of another destination');
  },

  'are listed by tenant, destination and settlement in any mixture, page by page': async ({ store }) => {
    const settled = (n: number): boolean => n % 3 === 0;
    const rows = Array.from({ length: 24 }, (_, n) =>
      work(`w-${n}`, {
        tenant: n % 2 === 0 ? TENANT : 'other',
        destination: n % 4 < 2 ? 'saga:x' : DESTINATION,
      }),
    );
    await store.enqueue(rows, by());
    for (const [n, row] of rows.entries()) await store.buryWork(workKey(row), 'broken', { now: T0 + n });
    for (const { letter, tenant, id } of await store.deadLetters({}))
      if (settled(Number(id.slice(2)))) await store.settleDeadLetter(settling(letter, { tenant }));
    for (const filter of mixtures) {
      const expected = rows.filter(
        (row, n) => isAsked(filter, row) && (filter.settled ?? false) === settled(n),
      );
      const ids = expected.map(({ id }) => id).toReversed();
      equal(await allPages(store, filter), ids, `what ${JSON.stringify(filter)} lists`);
    }
  },

  'that are discarded let their lane go on, and say who did it': async ({ store }) => {
    await store.enqueue([work('head', { lane: 'l' }), work('next', { lane: 'l' })], by());
    await store.releaseWork(workKey(work('next')), 0, 'behind', { now: T0 });
    await store.buryWork(workKey(work('head')), 'broken', { now: T0 });
    equal(await claimedIds(store, 'node-b', T0 + 1), [], 'what can be claimed behind it');
    equal(await store.settleDeadLetter(settling(await letterOf(store, 'head'))), true, 'the answer');
    equal(await claimedIds(store, 'node-b', T0 + 5), ['next'], 'what can be claimed then');
    equal(await store.deadLetters({}), [], 'the open letters');
    const settled = await store.deadLetters({ settled: true });
    const expected = { verb: 'discarded', by: 'ada', reason: 'not ours', at: T0 + 5 };
    equal(settled[0]?.settled, expected, 'what the letter says');
  },

  'that are replayed have their row claimed anew, before what waits behind it': async ({ store }) => {
    await store.enqueue([work('head', { lane: 'l' }), work('next', { lane: 'l' })], by());
    await store.releaseWork(workKey(work('next')), 0, 'behind', { now: T0 });
    await store.buryWork(workKey(work('head')), 'broken', { now: T0 });
    const letter = await letterOf(store, 'head');
    equal(await store.settleDeadLetter(replaying(letter, 'head')), true, 'the answer');
    const { items } = await store.claimWork(asking('node-b', T0 + 5));
    equal(
      items.map((row) => [row.id, row.attempts, row.suspect, row.lane]),
      [['head', 1, false, 'l']],
      'what can be claimed',
    );
  },

  'of expired messages are replayed as new work': async ({ store }) => {
    await store.park([parking(key(), delivery('m-1', { ttlMs: 10 }))], { now: T0 });
    await store.expireDeliveries({ now: T0 + 10 });
    const letter = await letterOf(store, 'm-1');
    const replay = { ...replaying(letter, 'm-1'), now: T0 + 20 };
    equal(await store.settleDeadLetter(replay), true, 'the answer');
    equal(await claimedIds(store, 'node-b', T0 + 20), ['m-1'], 'what can be claimed');
  },

  'of expired messages are discarded without the same message that has come again': async ({ store }) => {
    await store.park([parking(key(), delivery('m-1', { ttlMs: 10 }))], { now: T0 });
    await store.expireDeliveries({ now: T0 + 10 });
    const letter = await letterOf(store, 'm-1');
    const destination = `saga:${SAGA}`;
    await store.enqueue([work('m-1', { destination })], by());
    equal(await store.settleDeadLetter(settling(letter)), true, 'the answer');
    const asked = { destinations: [destination] };
    equal(await claimedIds(store, 'node-b', T0 + LEASE_MS, asked), ['m-1'], 'what can be claimed');
  },

  'are settled once, by their own tenant': async ({ store, second }) => {
    await buried(store, 'a');
    const letter = await letterOf(store, 'a');
    equal(await store.settleDeadLetter(settling(letter, { tenant: 'other' })), false, 'for another tenant');
    equal(await store.settleDeadLetter(settling('999999')), false, 'for no letter');
    equal(await store.settleDeadLetter(settling('no number')), false, 'for what is no letter');
    const answers = await Promise.all([
      store.settleDeadLetter(settling(letter)),
      second.settleDeadLetter(replaying(letter, 'a')),
    ]);
    equal(answers.filter(Boolean).length, 1, 'how many have settled it');
  },
});
