import type { Commit, InstanceStore, KeyRecord, WorkRecord } from '@nestjs-orchestrator/core/ports';
import { redisStore } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisNamespace } from '../support/redis.js';
import { by, entry, inbox, key, line, state, work } from '../typeorm/support.js';

/** A script that fails is not rolled back: what a key must hold is looked at before the first of them is written. */

const LATER = { now: 10 ** 13 };
const { prefix, url } = redisNamespace();
let rival: Redis;
let store: InstanceStore;

beforeAll(async () => {
  rival = new Redis(url);
  store = redisStore(rival, { prefix });
  await store.start();
});

afterAll(async () => {
  await store.close();
  rival.disconnect();
});

/** What one tenant has, and what can be done with it. */
class Scene {
  constructor(readonly tenant: string) {}

  work(id: string, fields: Partial<WorkRecord> = {}): WorkRecord {
    return work(id, { tenant: this.tenant, ...fields });
  }

  entry(id: string, version: number, fields: Partial<Commit> = {}): Commit {
    const commit = entry(id, version, fields);
    return { ...commit, ref: { ...commit.ref, tenant: this.tenant } };
  }

  timer(id: string, name: string) {
    return { ...this.entry(id, 0).ref, name, token: name, delayMs: 1, payload: '{}' };
  }

  parking(of: KeyRecord, messageId: string, done: readonly WorkRecord[] = []) {
    const delivery = { messageId, payload: '{}', ttlMs: 1_000 };
    return { ...this.entry('', 0).ref, key: of, delivery, done };
  }

  /** A row with another one behind it, a message that waits for a key, one instance that has ended and one that lives. */
  async prepare(): Promise<void> {
    const ended = { next: state({ ended: true, status: 'completed' }), keys: [key('old')] };
    const living = {
      keys: [key('living')],
      inbox: inbox('m-0'),
      history: [line('created', 'm-0')],
      timers: { arm: [this.timer('i-0', 'armed')], disarm: [] },
      deliveries: { add: [{ messageId: 'd-0', payload: '{}', ttlMs: 1_000 }], done: [] },
    };
    const rows = ['source', 'behind', 'last'].map((id) => this.work(id, { lane: 'l' }));
    await succeeds(store.enqueue(rows, by()));
    await succeeds(store.park([this.parking(key('new'), 'm-p')], { now: by().now }));
    await succeeds(store.commit([this.entry('old', 0, ended), this.entry('i-0', 0, living)], by()));
    await succeeds(store.enqueue([this.work('dead')], by()));
    await succeeds(store.buryWork(this.work('dead'), 'broken', { now: by().now }));
  }

  /** The creating commit with everything that a commit may write. */
  get creation(): Commit {
    const message = this.work('answered');
    return this.entry('i-1', 0, {
      supersedes: 'old',
      keys: [key('new'), key('old'), { ...key('shared'), many: true }],
      inboxBefore: [inbox('m-1')],
      inbox: inbox('m-2'),
      history: [line('created', 'm-1'), line('event', 'm-2')],
      timers: { arm: [this.timer('i-1', 'new')], disarm: [] },
      deliveries: { add: [{ messageId: 'd-1', payload: '{}', ttlMs: 1_000 }], done: [] },
      work: [this.work('w-1', { lane: 'l' }), this.work('w-2')],
      wakeIfParked: this.work('wake'),
      done: [this.work('source')],
      consumed: [{ message, outcome: 'handled' }],
    });
  }

  get ending(): Commit {
    return this.entry('i-0', 1, {
      next: state({ ended: true, status: 'completed' }),
      inbox: inbox('m-3'),
      timers: { arm: [this.timer('i-0', 'next')], disarm: ['armed'] },
      deliveries: { add: [], done: ['d-0'] },
    });
  }
}

type Deed = (scene: Scene) => Promise<unknown>;

const deeds: readonly (readonly [what: string, deed: Deed])[] = [
  ['a commit that creates', ({ creation }) => store.commit([creation], by())],
  ['a commit that ends', ({ ending }) => store.commit([ending], by())],
  ['a parked message', (scene) => store.park([scene.parking(key('k'), 'm', [scene.work('source')])], by())],
  [
    'a finished message',
    (scene) =>
      store.finish([{ message: scene.work('source'), outcome: 'handled', work: [scene.work('w')] }], by()),
  ],
  ['new work', (scene) => store.enqueue([scene.work('w', { lane: 'l' }), scene.work('v')], by())],
  ['completed work', (scene) => store.completeWork([scene.work('source')])],
  ['renewed work', (scene) => store.renewWork([scene.work('source')], by())],
  ['released work', (scene) => store.releaseWork(scene.work('source'), 5, 'later', by())],
  ['buried work', (scene) => store.buryWork(scene.work('source'), 'broken', by())],
  [
    'a transaction',
    (scene) =>
      store.transaction(async (tx) => {
        await tx.consume(scene.work('source'), 'handled');
        const { outcome } = await tx.commit({ ...scene.creation, done: [], consumed: [] });
        if (outcome === 'conflict') throw new Error('The commit has lost its race.');
        await tx.park([scene.parking(key('k'), 'm')]);
        await tx.handOver([scene.work('source')], [scene.work('w')], by());
      }, by()),
  ],
  [
    'a removal',
    ({ ending: { ref } }) => store.remove({ ref, expectedVersion: 1, archive: true, now: by().now }),
  ],
  ['expired messages', () => store.expireDeliveries(LATER)],
  [
    'a discarded letter',
    async ({ tenant }) => {
      const [letter] = await store.deadLetters({ tenant });
      const settlement = { verb: 'discarded', by: 'ann', reason: 'known' } as const;
      return store.settleDeadLetter({
        ...{ tenant, settlement, work: null, now: by().now },
        letter: letter?.letter ?? '',
      });
    },
  ],
];

async function succeeds<T>(doing: Promise<T>): Promise<T> {
  const answer = await doing;
  for (const each of Array.isArray(answer) ? (answer as unknown[]) : [])
    if (each instanceof Error) throw each;
  return answer;
}

function tagOf(tenant: string): string {
  return `{${prefix}/${tenant}}:`;
}

/** Everything that a tenant has, byte for byte. */
async function contents(tenant: string): Promise<ReadonlyMap<string, string>> {
  const tag = tagOf(tenant);
  const names = (await rival.keys(`${tag}*`)).toSorted();
  const dumps = await Promise.all(names.map((name) => rival.dumpBuffer(name)));
  return new Map(names.map((name, n) => [name.slice(tag.length), dumps[n]?.toString('base64') ?? '']));
}

/** What a tenant has is gone: whatever goes through all tenants does not meet it. */
async function forget(tenant: string): Promise<void> {
  const names = await rival.keys(`${tagOf(tenant)}*`);
  if (names.length > 0) await rival.del(...names);
}

/** The names of what a deed changes. */
async function changedBy(deed: Deed, scene: Scene): Promise<readonly string[]> {
  await scene.prepare();
  const before = await contents(scene.tenant);
  await succeeds(deed(scene));
  const after = await contents(scene.tenant);
  await forget(scene.tenant);
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

it.each(deeds)(
  'where it would write a foreign value stands, and nothing is written: %s',
  async (what, deed) => {
    const tenant = what.replaceAll(' ', '-');
    const changed = await changedBy(deed, new Scene(tenant));
    expect(changed).not.toEqual([]);
    for (const [n, name] of changed.entries()) {
      const scene = new Scene(`${tenant}-${n}`);
      await scene.prepare();
      const spoilt = tagOf(scene.tenant) + name;
      await rival.del(spoilt);
      if (name === 'sequence') await rival.rpush(spoilt, 'not ours');
      else await rival.set(spoilt, 'not ours');
      const before = await contents(scene.tenant);
      await expect(succeeds(deed(scene)), `${what} beside a foreign ${name}`).rejects.toThrow();
      expect(await contents(scene.tenant), `what is left beside a foreign ${name}`).toEqual(before);
      await forget(scene.tenant);
    }
  },
);
