import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { run } from '@nestjs-orchestrator/cli';
import { type } from '@nestjs-orchestrator/core';
import { redisStore } from '@nestjs-orchestrator/redis';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase } from '../support/database.js';
import { redisNamespace } from '../support/redis.js';
import { dataSourceOf } from '../typeorm/support.js';
import { Placed, type Order } from './fixtures/shop.js';

const SHOP = 'fixtures/shop.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function orchestrator(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  let [out, error] = ['', ''];
  const code = await run(args, {
    env,
    cwd: import.meta.dirname,
    out: (text) => void (out += text),
    error: (text) => void (error += text),
  });
  return { code, out, error };
}

/** What an older build left behind: a start in `state`, an undo step and two timers. */
function older(version: number, state: string, compensation: string, after: '1h' | '2h'): SagaBehaviour {
  const definition = defineSaga({
    name: 'order',
    version,
    data: type<Order>(),
    correlateBy: 'orderId',
    states: [state],
    ends: { done: 'success', failed: 'undo' },
    events: [Placed],
    compensations: { [compensation]: z.object({ orderId: z.string() }) },
    schedules: ['reminder'],
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Placed)
      .then((ctx) => {
        ctx.compensateWith(compensation, { orderId: ctx.event.orderId });
        ctx.schedule('reminder', '1d');
        return { orderId: ctx.event.orderId };
      })
      .transitionTo(state);
    saga.during(state).after(after).transitionTo('failed').scheduled('reminder').transitionTo('done');
    saga.compensate(compensation, async () => {});
  }) as SagaBehaviour;
}

async function live(store: InstanceStore, behaviour: SagaBehaviour, ...orders: string[]): Promise<void> {
  const host = new OrchestratorHost({ store });
  host.register(behaviour);
  await host.start();
  for (const orderId of orders) {
    await host.bus.publish(new Placed({ orderId }));
    await host.repository(behaviour.definition).waitUntil({ key: orderId }, () => true);
  }
  await host.close();
}

interface Place {
  /** The options that name the store. */
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly connect: () => InstanceStore;
  readonly close: () => Promise<void>;
}

const places: Record<string, () => Promise<Place>> = {
  postgres: async () => {
    const database = await createTestDatabase();
    const source = await dataSourceOf(database.url).initialize();
    return {
      args: ['--postgres', database.url],
      env: { POSTGRES_URL: database.url },
      connect: () => typeormStore(source),
      close: async () => {
        await source.destroy();
        await database.drop();
      },
    };
  },
  redis: async () => {
    const { url, prefix } = redisNamespace();
    const client = new Redis(url);
    return {
      args: ['--redis', url, '--prefix', prefix],
      env: { REDIS_URL: url },
      connect: () => redisStore(client, { prefix }),
      close: async () => client.disconnect(),
    };
  },
};

let place: Place | undefined;
afterEach(async () => {
  await place?.close();
  place = undefined;
});

describe.each(Object.entries(places))('orchestrator check against %s', (kind, open) => {
  it('says that the build can continue all of it, without making a provider', async () => {
    place = await open();
    await live(place.connect(), older(1, 'asked', 'refund', '1h'), 'o1', 'o2');
    const { code, out, error } = await orchestrator(['check', '--module', SHOP, ...place.args]);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toContain(
      `Checked order v2 against the ${kind} store: 2 living instances, 2 open undo steps, 4 timers, 0 messages.`,
    );
    expect(out).toContain('The build can continue all of it.');
  });

  it('tells what the build lacks, with what to do, and ends with 1', async () => {
    place = await open();
    await live(place.connect(), older(2, 'lost', 'recall', '2h'), 'o1');
    await live(place.connect(), older(3, 'waiting', 'refund', '1h'), 'o2');
    const store = place.connect();
    await store.start();
    const row = { tenant: 'default', lane: null, payload: '{}', delayMs: 0 };
    const destinations = [
      'handler:Payments.charge',
      'handler:Payments.refund',
      'remote:billing',
      'remote:other',
    ];
    await store.enqueue(
      destinations.map((destination) => ({ ...row, destination, id: destination })),
      { owner: 'n', leaseMs: 1, now: null },
    );
    await store.close();
    const json = await orchestrator(['check', '--module', SHOP, '--json', ...place.args]);
    const { ok, findings } = JSON.parse(json.out) as {
      ok: boolean;
      findings: { kind: string; name: string; count: number; message: string }[];
    };
    expect({ code: json.code, ok }).toEqual({ code: 1, ok: false });
    expect(findings.map(({ kind: what, name, count }) => `${what} ${name} ${count}`).toSorted()).toEqual([
      'newer-version version 3 1',
      'unknown-compensation recall 1',
      'unknown-state lost 1',
      'unknown-timer xstate.after.7200000.order.lost 1',
      'unserved-destination handler:Payments.refund 1',
      'unserved-destination remote:other 1',
    ]);
    const text = await orchestrator([
      ...['check', '--module', SHOP, '--serves', 'handler:Payments.refund', 'remote:other'],
      ...place.args,
    ]);
    expect(text.code).toBe(1);
    expect(text.out).toContain('Keep the compensation until these instances have ended.');
    expect(text.out).toContain("4 things that the build can't continue.");
    expect(text.out).not.toContain('unserved');
  });

  it('takes sagas without Nest, and several applications as one', async () => {
    place = await open();
    await live(place.connect(), older(1, 'asked', 'refund', '1h'), 'o1');
    const store = place.connect();
    await store.start();
    const row = { tenant: 'default', lane: null, payload: '{}', delayMs: 0, id: 'x' };
    await store.enqueue([{ ...row, destination: 'handler:Payments.charge' }], {
      ...{ owner: 'n', leaseMs: 1, now: null },
    });
    await store.close();
    const alone = await orchestrator(['check', '--sagas', 'fixtures/sagas.ts', ...place.args]);
    expect(alone.out).toContain('unserved-destination');
    const both = await orchestrator(['check', '--sagas', 'fixtures/sagas.ts', '-m', SHOP, ...place.args]);
    expect({ code: both.code, error: both.error }).toEqual({ code: 0, error: '' });
  });

  it('takes the address of the store from the environment', async () => {
    place = await open();
    await live(place.connect(), older(1, 'asked', 'refund', '1h'), 'o1');
    const named = place.args.slice(2);
    const { code, out } = await orchestrator(['check', '-m', SHOP, ...named], place.env);
    expect({ code, counted: out.includes('1 living instance') }).toEqual({ code: 0, counted: true });
  });
});

describe('orchestrator check can not be done', () => {
  const postgres = ['--postgres', 'postgres://127.0.0.1:1/nowhere'];

  it.each<[what: string, args: readonly string[], error: string]>([
    ['without a build', [...postgres], 'Say what to check'],
    ['without a store', ['-m', SHOP], 'Say where the store is'],
    ['with two stores', ['-m', SHOP, ...postgres, '--redis', 'redis://127.0.0.1:1'], 'There are two stores'],
    [
      'with a file that is not there',
      ['-m', 'fixtures/none.ts', ...postgres],
      "fixtures/none.ts can't be loaded",
    ],
    [
      'with a file that exports no module',
      ['-m', 'fixtures/sagas.ts', ...postgres],
      'exports no Nest module',
    ],
    [
      'with a file of several',
      ['-m', 'fixtures/two-modules.ts', ...postgres],
      'fixtures/two-modules.ts#FirstModule',
    ],
    [
      'with a module of another name',
      ['-m', `${SHOP}#AppModule`, ...postgres],
      "exports no Nest module 'AppModule'",
    ],
    ['with a file that exports no saga', ['-s', 'fixtures/two-modules.ts', ...postgres], 'exports no saga'],
    ['with a store that is away', ['-m', SHOP, ...postgres], 'ECONNREFUSED'],
    ['with an option that there is not', ['-m', SHOP, '--everything'], 'unknown option'],
  ])('%s', async (_, args, error) => {
    const outcome = await orchestrator(['check', ...args]);
    expect({ code: outcome.code, out: outcome.out }).toEqual({ code: 2, out: '' });
    expect(outcome.error).toContain(error);
  });

  it('on a database that has no store', async () => {
    const database = await createTestDatabase();
    const outcome = await orchestrator(['check', '-m', SHOP, '--postgres', database.url]);
    await database.drop();
    expect(outcome.code).toBe(2);
    expect(outcome.error).toContain('orchestrator.instance');
  });

  it('prints its help without failing', async () => {
    const { code, out } = await orchestrator(['check', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('Exit code: 0 the build can continue everything');
  });
});
