import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore, WorkRecord } from '@nestjs-orchestrator/core/ports';
import { buildSaga } from '@nestjs-orchestrator/core/saga';
import { countedIds, seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Closed, Counted, counter, Opened } from './counter.js';
import { storeKinds, type StoreKind } from './support.js';

const SELDOM_MS = 600_000;
const id = 'c1';

/** What the handler of `Counted` does on its way. */
type Detour = () => void | Promise<void>;

/** A counter whose handler goes the way that a test sends it. */
function counting(scene: { detour: Detour; runs: number }) {
  return buildSaga(counter, (saga) => {
    saga
      .initially()
      .when(Opened)
      .then(({ event }) => ({ id: event.id, count: 0 }))
      .transitionTo('open');
    saga
      .during('open')
      .when(Counted)
      .then(async (ctx) => {
        scene.runs += 1;
        await scene.detour();
        ctx.data.count += 1;
      })
      .when(Closed)
      .transitionTo('closed');
  });
}

/** Ids of the messages among rows: a node writes one of its own as well. */
function messagesOf(rows: readonly WorkRecord[]): readonly string[] {
  return rows.filter(({ destination }) => destination.startsWith('saga:')).map((row) => row.id);
}

type CommitCall = InstanceStore['commit'];

/** Nodes on one store that handle messages when they are published. */
async function nodes(kind: StoreKind) {
  const opened = await kind.open();
  const clock = new VirtualClock();
  const hosts: OrchestratorHost[] = [];
  close = async () => {
    await Promise.all(hosts.map((host) => host.close()));
    await opened.close();
  };
  return async (name: string) => {
    const { store: connection } = await opened.connect();
    const scene = {
      detour: (() => undefined) as Detour,
      runs: 0,
      /** Ids of the messages that became rows. */
      rows: [] as string[],
      commit: ((...all) => connection.commit(...all)) as CommitCall,
      beforeCommit: (() => undefined) as Detour,
    };
    const watched = new Proxy(connection, {
      get: (of, method) => {
        const value: unknown = Reflect.get(of, method);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (method === 'commit') return scene.commit(...(args as Parameters<CommitCall>));
          if (method === 'enqueue') scene.rows.push(...messagesOf(args[0] as readonly WorkRecord[]));
          return Reflect.apply(value, of, args);
        };
      },
    });
    const host = new OrchestratorHost({
      store: clock.tracked(watched, name),
      clock,
      ids: countedIds(name),
      random: seededRandom(1),
      pollIntervalMs: SELDOM_MS,
      leaseMs: SELDOM_MS,
      sweepIntervalMs: SELDOM_MS,
      handleOnPublish: true,
      faults: { reach: (point) => (point === 'saga.commit.before' ? scene.beforeCommit() : undefined) },
    });
    host.register(counting(scene));
    await host.start();
    hosts.push(host);
    const find = () => host.repository(counter).findByCorrelation(id);
    return { host, clock, scene, find, publish: host.bus.publish.bind(host.bus) };
  };
}

let close: (() => Promise<void>) | undefined;
afterEach(async () => {
  await close?.();
  close = undefined;
});

describe.each(storeKinds)('a message that is handled when it is published, on $kind', (kind) => {
  it('starts an instance, moves it and ends it, and never is a row', async () => {
    const { publish, scene, find } = await (await nodes(kind))('a');
    await publish(new Opened({ id }));
    expect(await find()).toMatchObject({ state: 'open', version: 1 });
    await publish(new Counted({ id }));
    expect(await find()).toMatchObject({ data: { count: 1 }, version: 2 });
    await publish(new Closed({ id }));
    expect(await find()).toMatchObject({ status: 'completed', version: 3 });
    expect(scene.rows).toEqual([]);
  });

  it('is handled once, however often and wherever it is published', async () => {
    const start = await nodes(kind);
    const [a, b] = [await start('a'), await start('b')];
    for (const { publish, clock } of [a, a, b]) {
      await publish(new Opened({ id }), { id: 'm1' });
      await publish(new Counted({ id }), { id: 'm2' });
      await clock.settled();
    }
    expect(await a.find()).toMatchObject({ data: { count: 1 }, version: 2 });
    expect([a.scene.rows, b.scene.rows]).toEqual([
      ['m1', 'm2'],
      ['m1', 'm2'],
    ]);
  });

  it('is found to be a repeat by the commit, where the state is known and no load told', async () => {
    const { publish, scene, find, clock } = await (await nodes(kind))('a');
    await publish(new Opened({ id }));
    await publish(new Counted({ id }), { id: 'm1' });
    await publish(new Counted({ id }), { id: 'm1' });
    await clock.settled();
    expect(scene).toMatchObject({ rows: ['m1'], runs: 2 });
    expect(await find()).toMatchObject({ data: { count: 1 }, version: 2 });
  });

  it('becomes a row where another node was first, and is handled on what that has left', async () => {
    const start = await nodes(kind);
    const [a, b] = [await start('a'), await start('b')];
    await a.publish(new Opened({ id }));
    await b.publish(new Counted({ id }), { id: 'm1' });
    await b.clock.settled();
    await a.publish(new Counted({ id }), { id: 'm2' });
    await a.clock.settled();
    expect(a.scene.rows).toEqual(['m2']);
    expect(await a.find()).toMatchObject({ data: { count: 2 }, version: 3 });
  });

  it('becomes a row if its handler fails, and is tried again as one', async () => {
    const { publish, scene, find, clock } = await (await nodes(kind))('a');
    await publish(new Opened({ id }));
    scene.detour = () => {
      scene.detour = () => undefined;
      throw new Error('not yet');
    };
    await publish(new Counted({ id }), { id: 'm1' });
    await clock.settled();
    expect(scene).toMatchObject({ rows: ['m1'], runs: 2 });
    expect(await find()).toMatchObject({ data: { count: 1 }, version: 2 });
  });

  it('is not handled again where the answer to its commit was lost', async () => {
    const { publish, scene, find, clock } = await (await nodes(kind))('a');
    await publish(new Opened({ id }));
    const { commit } = scene;
    scene.commit = async (...all) => {
      scene.commit = commit;
      await commit(...all);
      throw new StoreUnavailableError('The connection broke before the answer came.');
    };
    await publish(new Counted({ id }), { id: 'm1' });
    await clock.settled();
    expect(scene.rows).toEqual(['m1']);
    expect(await find()).toMatchObject({ data: { count: 1 }, version: 2 });
  });

  it('becomes a row as well where its handler takes long, and is handled once', async () => {
    const { publish, scene, find, clock } = await (await nodes(kind))('a');
    await publish(new Opened({ id }));
    let go = (): void => {};
    const begun = new Promise<void>((resolve) => {
      scene.detour = () => {
        scene.detour = () => undefined;
        resolve();
        return new Promise((done) => (go = done));
      };
    });
    const slow = publish(new Counted({ id }), { id: 'm1' });
    await begun;
    // Its instance is busy: whoever comes now is a row, and stands behind it.
    await publish(new Counted({ id }), { id: 'm2' });
    expect(scene.rows).toEqual(['m2']);
    await clock.advance(20);
    await slow;
    expect(scene.rows).toEqual(['m2', 'm1']);
    go();
    await clock.settled();
    expect(await find()).toMatchObject({ data: { count: 2 } });
  });

  it('waits for its commit as long as that takes', async () => {
    const { publish, scene, find, clock } = await (await nodes(kind))('a');
    await publish(new Opened({ id }));
    let go = (): void => {};
    const reached = new Promise<void>((resolve) => {
      scene.beforeCommit = () => {
        resolve();
        return new Promise((done) => (go = done));
      };
    });
    const published = publish(new Counted({ id }));
    await reached;
    await clock.advance('1m');
    go();
    await published;
    expect(scene.rows).toEqual([]);
    expect(await find()).toMatchObject({ data: { count: 1 }, version: 2 });
  });

  it('is a row at once where those like it took long before', async () => {
    const { publish, scene, find, clock } = await (await nodes(kind))('a');
    await publish(new Opened({ id }));
    for (const slowId of ['s1', 's2', 's3']) {
      let go = (): void => {};
      const begun = new Promise<void>((resolve) => {
        scene.detour = () => {
          scene.detour = () => undefined;
          resolve();
          return new Promise((done) => (go = done));
        };
      });
      const slow = publish(new Counted({ id }), { id: slowId });
      await begun;
      await clock.advance(20);
      await slow;
      go();
      await clock.settled();
      // Its row was a repeat, which a load has told: what the instance is like is known again after the next commit.
      await publish(new Counted({ id }));
      await clock.settled();
    }
    scene.rows.length = 0;
    await publish(new Counted({ id }), { id: 'm3' });
    expect(scene.rows).toEqual(['m3']);
    await clock.settled();
    expect(await find()).toMatchObject({ data: { count: 7 } });
  });

  it('is waited for by a node that stops, which takes up no other', async () => {
    const start = await nodes(kind);
    const [a, b] = [await start('a'), await start('b')];
    await a.publish(new Opened({ id }));
    const { commit } = a.scene;
    const reached = new Promise<() => void>((resolve) => {
      a.scene.commit = (...all) =>
        new Promise((done) => {
          resolve(() => done(commit(...all)));
        });
    });
    const published = a.publish(new Counted({ id }), { id: 'm1' });
    const go = await reached;
    const order: string[] = [];
    const closed = a.host.close().then(() => order.push('closed'));
    await a.publish(new Opened({ id: 'c2' }), { id: 'm2' });
    for (let turn = 0; turn < 20; turn++) expect(await b.find()).toMatchObject({ version: 1 });
    expect(order).toEqual([]);
    go();
    await published.then(() => order.push('published'));
    await closed;
    expect(order).toEqual(['published', 'closed']);
    expect(a.scene.rows).toEqual(['m2']);
    expect(await b.find()).toMatchObject({ data: { count: 1 }, version: 2 });
  });
});
