import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  AT,
  by,
  bystanders,
  entry,
  inbox,
  key,
  line,
  outcomes,
  ref,
  SAGA,
  state,
  TENANT,
  twoNodes,
  work,
  type TwoNodes,
} from './support.js';

let nodes: TwoNodes;

beforeAll(async () => {
  nodes = await twoNodes();
});

afterAll(() => nodes.close());

/** Puts `odd` in the middle of 200 others, all of which must be committed; the outcome of the odd one. */
async function amongOthers(prefix: string, odd: ReturnType<typeof entry>) {
  const others = bystanders(prefix);
  const batch = [...others.slice(0, 100), odd, ...others.slice(100)];
  const results = await nodes.stores[0].commit(batch, by());
  const [result] = results.toSpliced(0, 100);
  expect(new Set(outcomes(results.toSpliced(100, 1)))).toEqual(new Set(['committed']));
  return result;
}

it('a duplicate loses, and 200 others in its batch are committed', async () => {
  const first = entry('dup', 0, { keys: [key('dup')], inbox: inbox('m-1') });
  await nodes.stores[1].commit([first], by('node-b'));
  expect(await amongOthers('with-dup', first)).toEqual({ outcome: 'conflict' });
});

it('a lost race loses alone', async () => {
  await nodes.stores[1].commit([entry('raced', 0)], by());
  await nodes.stores[1].commit([entry('raced', 1)], by());
  expect(await amongOthers('with-raced', entry('raced', 1))).toEqual({ outcome: 'conflict' });
});

it('a taken key loses alone', async () => {
  await nodes.stores[1].commit([entry('holder', 0, { keys: [key('taken')] })], by());
  const rival = entry('late', 0, { keys: [key('taken')] });
  expect(await amongOthers('with-taken', rival)).toEqual({ outcome: 'conflict' });
});

it('a row that somebody has locked has lost, without a wait', async () => {
  const { rival, stores } = nodes;
  await stores[1].commit([entry('locked', 0)], by());
  await rival.sql('BEGIN');
  await rival.sql(`SELECT FROM orchestrator.instance WHERE id = 'locked' FOR UPDATE`);
  expect(await amongOthers('with-locked', entry('locked', 1))).toEqual({ outcome: 'conflict' });
  await rival.sql('ROLLBACK');
  expect(outcomes(await stores[0].commit([entry('locked', 1)], by()))).toEqual(['committed']);
});

it('a key that somebody is claiming has lost, without a wait', async () => {
  const { rival } = nodes;
  await rival.sql('BEGIN');
  const lock = ['order-7', 'orderId', SAGA, TENANT].reduce(
    (seed, _, n) => `hashtextextended($${n + 1}, ${seed})`,
    '7',
  );
  await rival.sql(`SELECT pg_advisory_xact_lock(${lock})`, ['order-7', 'orderId', SAGA, TENANT]);
  const creation = entry('claiming', 0, { keys: [key('order-7')] });
  expect(await amongOthers('with-claiming', creation)).toEqual({ outcome: 'conflict' });
  await rival.sql('ROLLBACK');
});

it('of two keys, one lost to a rival that commits while the statement runs: neither is claimed, the batch goes on', async () => {
  const { rival, stores } = nodes;
  await rival.sql('BEGIN');
  await rival.sql(
    `INSERT INTO orchestrator.instance_key (tenant, saga, name, value, instance_id) VALUES ($1, $2, 'orderId', 'z-late', 'rival')`,
    [TENANT, SAGA],
  );
  const creation = entry('half', 0, { keys: [key('a-early'), key('z-late')], inbox: inbox('m-1') });
  const result = amongOthers('with-half', creation);
  await rival.isWaitedFor();
  await rival.sql('COMMIT');
  expect(await result).toEqual({ outcome: 'conflict' });
  const early = entry('other', 0, { keys: [key('a-early')] });
  expect(outcomes(await stores[0].commit([early], by()))).toEqual(['committed']);
});

it('of two keys, one lost to a rival that commits while the statement runs: alone in its statement it is a conflict as well', async () => {
  const { rival, stores } = nodes;
  await rival.sql('BEGIN');
  await rival.sql(
    `INSERT INTO orchestrator.instance_key (tenant, saga, name, value, instance_id) VALUES ($1, $2, 'orderId', 'z-lone', 'rival')`,
    [TENANT, SAGA],
  );
  const creation = entry('lone', 0, { keys: [key('a-lone'), key('z-lone')] });
  const result = stores[0].commit([creation], by());
  await rival.isWaitedFor();
  await rival.sql('COMMIT');
  expect(await result).toEqual([{ outcome: 'conflict' }]);
  const early = entry('lone-other', 0, { keys: [key('a-lone')] });
  expect(outcomes(await stores[0].commit([early], by()))).toEqual(['committed']);
});

it('work that comes at the same time as that of a commit makes it lose its race, and is there once', async () => {
  const { rival, stores } = nodes;
  await rival.sql('BEGIN');
  await rival.sql(
    `INSERT INTO orchestrator.outbox (tenant, destination, id, payload, delay_ms, claimable_at, attempts)
     VALUES ($1, 'handler:Pay', 'w-twin', '{"from":"rival"}', 0, 0, 0)`,
    [TENANT],
  );
  const twin = entry('twin', 0, { work: [work('w-twin')] });
  const result = stores[0].commit([twin], by());
  await rival.isWaitedFor();
  await rival.sql('COMMIT');
  expect(await result).toEqual([{ outcome: 'conflict' }]);
  expect(await stores[0].commit([twin], by())).toMatchObject([{ outcome: 'committed', leased: false }]);
  const rows = `SELECT payload, owner FROM orchestrator.outbox WHERE id = 'w-twin'`;
  expect(await rival.sql(rows)).toEqual([{ payload: '{"from":"rival"}', owner: null }]);
});

it('a commit that has the same work twice writes it once', async () => {
  const { rival, stores } = nodes;
  const twice = entry('twice', 0, { work: [work('w-twice'), work('w-twice', { payload: '[]' })] });
  expect(outcomes(await stores[0].commit([twice], by()))).toEqual(['committed']);
  expect(await rival.sql(`SELECT payload FROM orchestrator.outbox WHERE id = 'w-twice'`)).toEqual([
    { payload: '{}' },
  ]);
});

it('a new message and the line that it leaves are one row; one that has waited has a line of its own', async () => {
  const { rival, stores } = nodes;
  const told = (id: string) => stores[0].history(ref(id)).then((lines) => lines.map(({ kind }) => kind));
  const fresh = entry('lined', 0, {
    ifUnseen: true,
    inboxBefore: [inbox('m-0')],
    inbox: inbox('m-1', 'deferred'),
    history: [line('created', 'm-0'), line('deferred', 'm-1'), line('undo-started', 'm-1')],
  });
  const waited = entry('lined', 1, { inbox: inbox('m-1'), history: [line('event', 'm-1')] });
  for (const commit of [fresh, waited])
    expect(outcomes(await stores[0].commit([commit], by()))).toEqual(['committed']);
  expect(await told('lined')).toEqual(['created', 'deferred', 'undo-started', 'event']);
  const rows = (table: string) =>
    rival.sql(`SELECT kind FROM orchestrator.${table} WHERE instance_id = 'lined' ORDER BY version, ordinal`);
  expect(await rows('inbox')).toEqual([{ kind: 'created' }, { kind: 'deferred' }]);
  expect(await rows('history')).toEqual([{ kind: 'undo-started' }, { kind: 'event' }]);
});

it('a message whose row is there without having been found loses its race', async () => {
  const { rival, stores } = nodes;
  await rival.sql(
    `INSERT INTO orchestrator.inbox (tenant, saga, instance_id, message_id, outcome, at) VALUES ($1, $2, 'orphan', 'm-1', 'applied', 0)`,
    [TENANT, SAGA],
  );
  const creation = entry('orphan', 0, { ifUnseen: true, inbox: inbox('m-1') });
  expect(await amongOthers('with-orphan', creation)).toEqual({ outcome: 'conflict' });
  expect(outcomes(await stores[0].commit([{ ...creation, ifUnseen: false }], by()))).toEqual(['committed']);
});

it('a text that Postgres refuses fails alone, and says so', async () => {
  const result = await amongOthers('with-nul', entry('nul', 0, { next: state({ state: 'a\0b' }) }));
  expect(result).toMatchObject({ code: '22021' });
});

it('an escaped NUL in JSON is stored and read back byte for byte', async () => {
  const data = String.raw`{ "text":"a\u0000b\ud800", "n": 1.0e2 }`;
  const given = entry('escaped', 0, { next: state({ data }), work: [work('escaped', { payload: data })] });
  expect(await amongOthers('with-escape', given)).toMatchObject({ outcome: 'committed' });
  const loaded = await nodes.stores[1].load(
    [{ tenant: TENANT, saga: SAGA, by: { id: 'escaped' }, messageId: 'm' }],
    AT,
  );
  expect(loaded[0]?.instance?.data).toBe(data);
});

it('a key with a NUL is a key without an instance, and the requests beside it are answered', async () => {
  await nodes.stores[0].commit([entry('near', 0, { keys: [key('near')] })], by());
  const asked = ['a\0b', 'near'].map((value) => ({
    tenant: TENANT,
    saga: SAGA,
    by: { key: key(value) },
    messageId: 'm',
  }));
  const loaded = await nodes.stores[0].load(asked, AT);
  expect(loaded.map(({ instance }) => instance?.id)).toEqual([undefined, 'near']);
});

it('batches over the same rows in two orders end without a deadlock', async () => {
  const [one, two] = nodes.stores;
  const ids = Array.from({ length: 100 }, (_, n) => `order-${n}`);
  await one.commit(
    ids.map((id) => entry(id, 0)),
    by(),
  );
  for (let version = 1; version <= 20; version += 1) {
    const batch = ids.map((id) => entry(id, version, { inbox: inbox(`m-${version}`) }));
    const answers = await Promise.all([one.commit(batch, by()), two.commit(batch.toReversed(), by())]);
    const winners = ids.map((_, n) =>
      outcomes([
        answers[0][n] ?? new Error('missing'),
        answers[1][ids.length - 1 - n] ?? new Error('missing'),
      ]),
    );
    for (const pair of winners) expect(pair.toSorted()).toEqual(['committed', 'conflict']);
  }
  const rows = await nodes.rival.sql<{ deadlocks: string }>(
    'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
  );
  expect(rows).toEqual([{ deadlocks: '0' }]);
});

interface Offer {
  readonly mailbox: string;
  readonly messageId: string;
}

/** Applies messages for different mailboxes in one batch, as a node does: load, skip what was seen, commit, again what lost. How many it applied. */
async function applyAll(node: 0 | 1, offers: readonly Offer[]): Promise<number> {
  const store = nodes.stores[node];
  let applied = 0;
  for (let open = offers; open.length > 0;) {
    const loaded = await store.load(
      open.map(({ mailbox, messageId }) => ({
        tenant: TENANT,
        saga: SAGA,
        by: { key: key(mailbox) },
        messageId,
      })),
      AT,
    );
    const fresh = open.flatMap((offer, n) =>
      loaded[n]?.seen ? [] : [{ offer, instance: loaded[n]?.instance ?? null }],
    );
    const results = await store.commit(
      fresh.map(({ offer: { mailbox, messageId }, instance }) =>
        entry(instance?.id ?? `${mailbox}@${node}`, instance?.version ?? 0, {
          keys: instance ? [] : [key(mailbox)],
          inbox: inbox(messageId),
          work: [work(messageId, { destination: 'hot' })],
        }),
      ),
      by(`node-${node}`),
    );
    expect(outcomes(results)).not.toContain('error');
    applied += outcomes(results).filter((outcome) => outcome === 'committed').length;
    open = fresh.filter((_, n) => outcomes(results)[n] === 'conflict').map(({ offer }) => offer);
  }
  return applied;
}

it('two pools offer each of 2 000 messages twice, and exactly 2 000 are applied', async () => {
  const offers = Array.from({ length: 2_000 }, (_, n) => ({ mailbox: `hot-${n % 50}`, messageId: `m-${n}` }));
  const batches = Array.from({ length: 40 }, (_, n) => offers.slice(n * 50, n * 50 + 50));
  const node = async (which: 0 | 1): Promise<number> => {
    let applied = 0;
    for (const batch of [...batches, ...batches.toReversed()]) applied += await applyAll(which, batch);
    return applied;
  };
  // Two lanes per pool, so that batches of one pool meet as well.
  const counts = await Promise.all([node(0), node(1), node(0), node(1)]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2_000);
  const [sums] = await nodes.rival.sql<{ versions: string; work: string }>(
    `SELECT (SELECT sum(version) FROM orchestrator.instance WHERE id LIKE 'hot-%') AS versions,
            (SELECT count(*) FROM orchestrator.outbox WHERE destination = 'hot') AS work`,
  );
  expect(sums).toEqual({ versions: '2000', work: '2000' });
});

/** All rows of an instance, or that carry its name, without it. */
async function rowsOf(id: string): Promise<object> {
  const found: Record<string, readonly string[]> = {};
  for (const table of [
    'instance',
    'instance_state',
    'instance_key',
    'inbox',
    'outbox',
    'consumed',
    'timer',
    'delivery',
    'history',
    'tombstone',
  ]) {
    const rows = await nodes.rival.sql<{ row: string }>(
      `SELECT (to_jsonb(t) - 'seq' - 'at' - 'due_at' - 'claimable_at' - 'created_at' - 'updated_at' - 'ended_at' - 'expires_at')::text AS row
       FROM orchestrator.${table} t WHERE to_jsonb(t)::text LIKE '%' || $1 || '%'`,
      [`${id}.`],
    );
    found[table] = rows.map(({ row }) => row.replaceAll(`${id}.`, '')).toSorted();
  }
  return found;
}

it('a commit leaves the same rows alone, by a statement that does no more, and among others that need everything', async () => {
  const [store] = nodes.stores;
  const kinds = (id: string): readonly (readonly [string, Parameters<typeof entry>[2]])[] => [
    ['state', { next: state({ state: 'moved' }) }],
    ['data', { next: state({ data: '{"total":11}' }) }],
    ['message', { inbox: inbox('m-2'), history: [line('event', 'm-2')], done: [work(`${id}done`)] }],
    ['end', { next: state({ state: 'over', status: 'completed', ended: true }), inbox: inbox('m-2') }],
    ['hold', { next: state({ status: 'held', hold: '{}' }) }],
    ['work', { work: [work(`${id}w`, { lane: `${id}lane` }), work(`${id}later`, { delayMs: 5 })] }],
    [
      'timers',
      {
        timers: {
          arm: [{ ...ref(id), name: 'new', token: 't', delayMs: 9, payload: '{}' }],
          disarm: ['old'],
        },
      },
    ],
    ['answer', { consumed: [{ message: work(`${id}asked`), outcome: 'handled' }], inbox: inbox('m-2') }],
  ];
  for (const [place, [kind]] of kinds('').entries()) {
    const left: object[] = [];
    for (const among of [false, true]) {
      const id = `${kind}-${among ? 'among' : 'alone'}.`;
      const old = { ...ref(id), name: 'old', token: 't', delayMs: 9, payload: '{}' };
      const started = entry(id, 0, {
        keys: [key(id)],
        inbox: inbox('m-1'),
        work: [work(`${id}done`)],
        timers: { arm: [old], disarm: [] },
      });
      expect(outcomes(await store.commit([started], by()))).toEqual(['committed']);
      const commit = entry(id, 1, { ifUnseen: true, ...kinds(id)[place]?.[1] });
      const results = await store.commit([commit, ...(among ? bystanders(`rows-${kind}`) : [])], by());
      expect(results[0]).toEqual({ outcome: 'committed', version: 2, leased: true, woken: false });
      left.push(await rowsOf(id.slice(0, -1)));
    }
    expect(left[0]).toEqual(left[1]);
    expect(left[0]).toMatchObject({ instance: [expect.stringContaining('"version": 2')] });
  }
});

it('alone as well, who comes second has lost: of a state, of a message, of what it answers', async () => {
  const [store] = nodes.stores;
  const message = { inbox: inbox('m-1'), ifUnseen: true };
  await store.commit([entry('second', 0), entry('second-answer', 0)], by());
  expect(outcomes(await store.commit([entry('second', 1, message)], by()))).toEqual(['committed']);
  expect(outcomes(await store.commit([entry('second', 1, { ifUnseen: true })], by()))).toEqual(['conflict']);
  expect(outcomes(await store.commit([entry('second', 2, message)], by()))).toEqual(['conflict']);
  const answer = { consumed: [{ message: work('asked-once'), outcome: 'handled' }], ifUnseen: true };
  expect(outcomes(await store.commit([entry('second', 2, answer)], by()))).toEqual(['committed']);
  expect(outcomes(await store.commit([entry('second-answer', 1, answer)], by()))).toEqual(['conflict']);
  expect(await store.load([{ ...ref('second'), by: { id: 'second' }, messageId: 'm-1' }], AT)).toMatchObject([
    { instance: { version: 3 } },
  ]);
});
