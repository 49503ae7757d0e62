import { StoreUnavailableError, type } from '@nestjs-orchestrator/core';
import { compileSaga } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { ActivityRejectedError, buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { storeKinds, type StoreKind } from '../saga/support.js';
import { Card, Placed, Moved, Cancelled, Checked, orderSaga, ref } from './charging.js';
import { openPlainCluster, type PlainCluster, type PlainNode } from './support.js';

const orderId = 'o1';

let cluster: PlainCluster | undefined;
afterEach(async () => cluster?.close());

async function order({ host }: PlainNode) {
  const orders = host.repository(orderSaga);
  const found = await orders.findByCorrelation(orderId);
  const history = await orders.history(found?.id ?? '');
  return { ...found, lines: history.map(({ kind, name }) => `${kind} ${name}`) };
}

function gate(): { readonly passed: Promise<void>; open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

/** Stores that give work back in another way. */
function answering(
  kind: StoreKind,
  releaseOf: (store: InstanceStore) => InstanceStore['releaseWork'],
): StoreKind {
  return {
    ...kind,
    open: async () => {
      const opened = await kind.open();
      const connect = async () => {
        const connection = await opened.connect();
        const releaseWork = releaseOf(connection.store);
        const store = new Proxy(connection.store, {
          get: (of, name) => {
            if (name === 'releaseWork') return releaseWork;
            const value: unknown = Reflect.get(of, name);
            return typeof value === 'function' ? (value.bind(of) as unknown) : value;
          },
        });
        return { ...connection, store };
      };
      return { ...opened, connect };
    },
  };
}

describe.each(storeKinds)('an activity, on $kind', (kind) => {
  async function scene(card = new Card()) {
    cluster = await openPlainCluster(kind);
    const first = await cluster.node('first', card.register);
    return { cluster, clock: cluster.clock, card, first, bus: first.host.bus };
  }

  it('goes on while its instance is held, and its outcome waits for the replay', async () => {
    const card = new Card();
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const first = await cluster.node('first', card.register, { maxAttempts: 1 });
    const charged = gate();
    card.charge = async () => (await charged.passed, { receipt: 'r1' });
    card.onChecked = () => {
      throw new Error("can't bear it");
    };
    await first.host.bus.publish(new Placed({ orderId }));
    await first.host.bus.publish(new Checked({ orderId }));
    await clock.advance('2s');
    expect(await order(first)).toMatchObject({ state: 'charging', status: 'held' });
    charged.open();
    await clock.advance('5s');
    expect(card.aborted).toEqual([]);
    card.onChecked = () => {};
    const { id = '' } = await order(first);
    await first.host.operator.replay({ saga: orderSaga, id }, { by: 'ada' });
    await clock.advance('2m');
    expect(await order(first)).toMatchObject({
      state: 'charged',
      status: 'running',
      data: { receipt: 'r1' },
    });
    expect([card.charges.length, card.refunds]).toEqual([1, []]);
  });

  /** An activity of version 1 that waits for its next try, and a node that has the second version only. */
  async function ofTwo(migrates: boolean) {
    const card = new Card();
    card.charge = async () => {
      throw new Error('away');
    };
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const old = await cluster.node('old', card.register);
    await old.host.bus.publish(new Placed({ orderId }));
    await clock.advance('1s');
    expect(card.charges).toHaveLength(1);
    await old.kill();
    const newer = await cluster.node('newer', new Card(2, migrates).register);
    await clock.advance('2m');
    return { newer, clock, cluster };
  }

  it('of an older version is run by the one that its instance is migrated to', async () => {
    const { newer } = await ofTwo(true);
    expect(await order(newer)).toMatchObject({ state: 'charged', definitionVersion: 2 });
  });

  it('of a version that no build continues becomes a dead letter, and goes on with one that does', async () => {
    const { newer, clock, cluster: nodes } = await ofTwo(false);
    const reasons = (await nodes.store.deadLetters({})).map(({ reason }) => reason);
    expect(reasons).toEqual([expect.stringContaining("Nothing in this build runs 'charge'")]);
    await newer.kill();
    const { host, ...repaired } = await nodes.node('repaired', new Card(2, true).register);
    for await (const letter of host.operator.deadLetters())
      await host.operator.replayLetter(letter, { by: 'ada' });
    await clock.advance('2m');
    expect(await order({ host, ...repaired })).toMatchObject({ state: 'charged', definitionVersion: 2 });
  });

  it('runs after the commit that asks for it, and its output comes back as an event', async () => {
    const { clock, card, first, bus } = await scene();
    await bus.publish(new Placed({ orderId }));
    await clock.advance('1s');
    expect(await order(first)).toMatchObject({
      state: 'charged',
      data: { receipt: 'r1' },
      undo: [{ name: 'refund', status: 'recorded' }],
      lines: ['created t.placed', 'transition charge done'],
    });
    await bus.publish(new Cancelled({ orderId }));
    await clock.advance('1s');
    expect(await order(first)).toMatchObject({ state: 'failed', status: 'compensated' });
    expect([card.charges.length, card.refunds.length]).toEqual([1, 1]);
  });

  it('is tried again with pauses under one key, and fails for good after its tries', async () => {
    const { clock, card, first, bus } = await scene();
    card.charge = () => Promise.reject(new Error('no line'));
    await bus.publish(new Placed({ orderId }));
    await clock.advance('1s');
    expect(card.charges.map(({ attempt }) => attempt)).toEqual([1]);
    await clock.advance('10s');
    expect(card.charges.map(({ attempt }) => attempt)).toEqual([1, 2]);
    await clock.advance('30s');
    expect(card.charges.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(card.charges.map(({ key }) => key)).size).toBe(1);
    // It may have had an effect all the same, so it is undone.
    expect(await order(first)).toMatchObject({
      state: 'failed',
      status: 'compensated',
      data: { error: 'no line (3)' },
      undo: [{ name: 'refund', status: 'done' }],
    });
  });

  it('has as many tries as it says where its node has fewer for messages', async () => {
    const card = new Card();
    cluster = await openPlainCluster(kind);
    const first = await cluster.node('first', card.register, { maxAttempts: 1 });
    card.charge = () => Promise.reject(new Error('no line'));
    await first.host.bus.publish(new Placed({ orderId }));
    await cluster.clock.advance('2m');
    expect(card.charges.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(await order(first)).toMatchObject({ state: 'failed', data: { error: 'no line (3)' } });
    expect(await cluster.store.deadLetters({})).toEqual([]);
  });

  it('is tried again when its pause is over, though its node hears later that it was given back', async () => {
    const card = new Card();
    const givenBack = gate();
    const answer = gate();
    const late = (store: InstanceStore): InstanceStore['releaseWork'] => {
      return async (...args) => {
        await store.releaseWork(...args);
        givenBack.open();
        await answer.passed;
      };
    };
    cluster = await openPlainCluster(answering(kind, late));
    const { clock } = cluster;
    const first = await cluster.node('first', card.register, { untracked: ['releaseWork'] });
    card.charge = () => Promise.reject(new Error('no line'));
    await first.host.bus.publish(new Placed({ orderId }));
    await givenBack.passed;
    await clock.advance('11s');
    answer.open();
    await clock.settled();
    expect(card.charges.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('is not tried again when it says that this is no use, and when its output does not fit', async () => {
    const { clock, card, first, bus } = await scene();
    card.charge = () => Promise.reject(new ActivityRejectedError('declined'));
    await bus.publish(new Placed({ orderId }));
    await clock.advance('1s');
    expect(await order(first)).toMatchObject({ state: 'failed', data: { error: 'declined (1)' } });
    card.charge = async () => ({}) as never;
    await bus.publish(new Placed({ orderId: 'o2' }));
    await clock.advance('1s');
    const other = await first.host.repository(orderSaga).findByCorrelation('o2');
    expect(other?.data.error).toMatch(/output of activity 'charge' does not fit its schema: receipt/);
  });

  it('fails when its time is over, or when it gives no sign of life, with its signal aborted', async () => {
    const { clock, card, first, bus } = await scene();
    const end = gate();
    card.charge = async (ctx) => {
      // The first try is silent; the others beat, but never end.
      for (let n = 0; ctx.attempt > 1 && n < 20; n += 1)
        clock.schedule(n * 5_000, () => (ctx.signal.aborted ? undefined : ctx.heartbeat()));
      await end.passed;
      return { receipt: 'late' };
    };
    await bus.publish(new Placed({ orderId }));
    await clock.advance('9s');
    expect(card.aborted).toEqual(['ActivityTimeoutError']);
    await clock.advance('2m');
    expect(await order(first)).toMatchObject({
      state: 'failed',
      data: { error: "activity 'charge' did not settle within 30000 ms. It is tried again. (3)" },
    });
    expect(card.aborted).toHaveLength(3);
    end.open();
    await clock.settled();
  });

  it('is cancelled when the state that waits for it is left; its outcome is recorded, and undone at once', async () => {
    const { clock, card, first, bus } = await scene();
    const end = gate();
    card.charge = async () => {
      await end.passed;
      return { receipt: 'late' };
    };
    await bus.publish(new Placed({ orderId }));
    await clock.settled();
    await bus.publish(new Moved({ orderId }));
    await clock.settled();
    expect(card.aborted).toEqual(['ActivityCancelledError']);
    // Not before it has settled: an undo that overtakes what it undoes would be lost.
    expect(card.refunds).toEqual([]);
    end.open();
    await clock.advance('1s');
    expect(await order(first)).toMatchObject({
      state: 'elsewhere',
      status: 'running',
      data: { receipt: '' },
      undo: [{ name: 'refund', status: 'done' }],
      lines: [
        'created t.placed',
        'transition t.moved',
        'activity-late charge',
        'undo-started refund',
        'undone refund',
      ],
    });
    await bus.publish(new Moved({ orderId }));
    await clock.advance('1s');
    expect(await order(first)).toMatchObject({ state: 'done', status: 'completed' });
    expect(card.refunds).toHaveLength(1);
  });

  it('that heeds its signal is undone as well, also after the saga has been undone', async () => {
    const { clock, card, first, bus } = await scene();
    card.charge = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    await bus.publish(new Placed({ orderId }));
    await clock.settled();
    await bus.publish(new Cancelled({ orderId }));
    await clock.advance('1s');
    expect(await order(first)).toMatchObject({
      state: 'failed',
      status: 'compensated',
      undo: [{ name: 'refund', status: 'done' }],
    });
    expect(card.charges).toHaveLength(1);
  });

  it('is run by another node under the same key when its node dies, and its outcome counts once', async () => {
    const { cluster: nodes, clock, card, first, bus } = await scene();
    card.charge = () => new Promise(() => {});
    await bus.publish(new Placed({ orderId }));
    await clock.settled();
    await first.kill();
    card.charge = async () => ({ receipt: 'r2' });
    const second = await nodes.node('second', card.register);
    await clock.advance('1m');
    expect(await order(second)).toMatchObject({ state: 'charged', data: { receipt: 'r2' } });
    expect(card.charges.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(new Set(card.charges.map(({ key }) => key)).size).toBe(1);
  });

  it('is interrupted when its node stops, and goes on at once with another one', async () => {
    const { cluster: nodes, clock, card, first, bus } = await scene();
    card.charge = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    await bus.publish(new Placed({ orderId }));
    await clock.settled();
    const second = await nodes.node('second', card.register);
    card.charge = async () => ({ receipt: 'r2' });
    await first.host.close();
    await clock.advance('2s');
    expect(card.aborted).toEqual(['ActivityStoppedError']);
    expect(card.charges.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(await order(second)).toMatchObject({ state: 'charged', data: { receipt: 'r2' } });
  });

  it('fails for good with an output that is too large, and with the beginning of a long message', async () => {
    const { clock, card, first, bus } = await scene();
    card.charge = async () => ({ receipt: 'r'.repeat(300_000) });
    await bus.publish(new Placed({ orderId }));
    await clock.advance('1m');
    expect(await order(first)).toMatchObject({
      state: 'failed',
      data: {
        error: expect.stringMatching(/^output of activity 'charge' has 300014 characters.*limit.*\(1\)$/),
      },
    });
    card.charge = async () => {
      throw new Error('e'.repeat(300_000));
    };
    await bus.publish(new Placed({ orderId: 'o2' }));
    await clock.advance('2m');
    const other = await first.host.repository(orderSaga).findByCorrelation('o2');
    expect(other).toMatchObject({ state: 'failed', status: 'compensated' });
    expect(other?.data.error).toHaveLength(4_004);
  });

  it('does not run again for what goes wrong with its outcome', async () => {
    const { clock, card, first, bus } = await scene();
    let failures = 3;
    card.onDone = () => {
      failures -= 1;
      if (failures >= 0) throw new Error('the handler fails');
    };
    first.faults.failAt('saga.commit.before', new StoreUnavailableError('away'), 5);
    await bus.publish(new Placed({ orderId }));
    await clock.advance('1m');
    expect(await order(first)).toMatchObject({ state: 'charged', data: { receipt: 'r1' } });
    expect(failures).toBeLessThan(0);
    expect(card.charges).toHaveLength(1);
  });

  it('that nobody waits for any more is not begun', async () => {
    const { cluster: nodes, clock, card, first, bus } = await scene();
    const stop = first.faults.crashAt('activity.before');
    await bus.publish(new Placed({ orderId }));
    await stop;
    await first.kill();
    const second = await nodes.node('second', card.register);
    await second.host.bus.publish(new Cancelled({ orderId }));
    await clock.advance('1m');
    expect(card.charges).toEqual([]);
    expect(await order(second)).toMatchObject({
      state: 'failed',
      lines: expect.arrayContaining(['activity-cancelled charge']) as string[],
    });
  });
});

describe('the definition of activities', () => {
  const events = { events: [Placed, Moved, Cancelled], correlateBy: 'orderId' as const };
  const base = { ...events, name: 'a', version: 1, data: type<{ orderId: string }>() };
  const charge = { input: ref, output: ref };

  it('is checked: lengths of time, tries, names, and that each is implemented and answered', () => {
    expect(() =>
      defineSaga({
        ...base,
        states: ['one'],
        ends: { done: 'success' },
        activities: { charge: { ...charge, timeout: '0s', retry: { attempts: 0 } } },
      }),
    ).toThrow(/activities.charge.retry.attempts: 0 must be.*\n.*activities.charge.timeout: '0s'/);
    const saga = defineSaga({
      ...base,
      states: ['one'],
      ends: { done: 'success' },
      activities: { charge },
    });
    const behaviour = buildSaga(saga, (build) => {
      build
        .initially()
        .when(Placed)
        .then(({ event }) => ({ orderId: event.orderId }))
        .transitionTo('one');
      build.during('one').when(Moved).transitionTo('done');
    });
    expect(() => compileSaga(behaviour)).toThrow(
      /does not implement activity 'charge'\n.*activities.charge: no state answers its outcome/,
    );
  });
});
