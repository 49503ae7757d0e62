import { message, type, type MessageContext } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { redisStore } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { staysAway } from '../fault/support/outage.js';
import { startRedisServer } from '../support/redis-server.js';
import { redisFolder } from '../support/redis.js';
import { insist } from './support.js';

const ref = z.object({ orderId: z.string() });
class Placed extends message('t.placed', ref) {}
class Charge extends message('t.charge', ref) {}
class Paid extends message('t.paid', ref) {}
class Ship extends message('t.ship', ref) {}
class Shipped extends message('t.shipped', ref.extend({ ok: z.boolean() })) {}

const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<{ orderId: string }>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment', 'awaitingShipment'],
  ends: { completed: 'success', failed: 'undo' },
  events: [Placed, Paid, Shipped],
  compensations: { refund: ref },
});

/** What the outside world has seen; ids tell a repeat from a second effect. */
interface World {
  readonly charges: Map<string, Set<string>>;
  readonly refunds: Map<string, Set<string>>;
  readonly effects: (of: Map<string, Set<string>>, orderId: string, id: string) => void;
}

function world(): World {
  const effects: World['effects'] = (of, orderId, id) => {
    of.set(orderId, (of.get(orderId) ?? new Set<string>()).add(id));
  };
  return { charges: new Map(), refunds: new Map(), effects };
}

/** Every fifth order is refused by the carrier, and its charge refunded. */
const isRefused = (orderId: string): boolean => Number(orderId.slice(1)) % 5 === 0;

async function startNode(redis: Redis, { charges, refunds, effects }: World): Promise<OrchestratorHost> {
  const host = new OrchestratorHost({ store: redisStore(redis), leaseMs: 1_000, pollIntervalMs: 100 });
  host.register(
    buildSaga(orderSaga, (saga) => {
      saga
        .initially()
        .when(Placed)
        .then((ctx) => {
          const { orderId } = ctx.event;
          ctx.compensateWith('refund', { orderId });
          ctx.send(new Charge({ orderId }));
          return { orderId };
        })
        .transitionTo('awaitingPayment');
      saga
        .during('awaitingPayment')
        .when(Paid)
        .then((ctx) => ctx.send(new Ship({ orderId: ctx.data.orderId })))
        .transitionTo('awaitingShipment');
      saga
        .during('awaitingShipment')
        .when(Shipped)
        .then((ctx) => (ctx.event.ok ? 'completed' : 'failed'))
        .transitionToOneOf('completed', 'failed');
      saga.compensate('refund', async ({ orderId }, ctx) => effects(refunds, orderId, ctx.idempotencyKey));
    }),
  );
  host.registerHandler({
    message: Charge,
    name: 'payments.charge',
    handle: ({ id, message: { orderId }, publish }: MessageContext<Charge>) => {
      effects(charges, orderId, id);
      publish(new Paid({ orderId }));
    },
  });
  host.registerHandler({
    message: Ship,
    name: 'shipping.ship',
    handle: ({ message: { orderId }, publish }: MessageContext<Ship>) => {
      publish(new Shipped({ orderId, ok: !isRefused(orderId) }));
    },
  });
  await host.start();
  return host;
}

// `npm run test:fault -- --rounds 20` kills it so often.
const KILLS = Number(process.env['FAULT_ROUNDS'] ?? 2);
const ORDERS = 30 * (KILLS + 1);

it(
  `every order ends, with each effect once, though Redis is killed ${KILLS} times under load`,
  { timeout: 300_000 + KILLS * 120_000 },
  async () => {
    const server = await startRedisServer(redisFolder());
    // Only to be copied.
    const redis = new Redis(server.url, { lazyConnect: true });
    const outside = world();
    const hosts = [await startNode(redis, outside), await startNode(redis, outside)] as const;
    const ids = Array.from({ length: ORDERS }, (_, n) => `o${n}`);
    const place = async (some: readonly string[]): Promise<void> => {
      const placed = some.map((orderId, n) => {
        const { bus } = hosts[n % 2 === 0 ? 0 : 1];
        return insist(() => bus.publish(new Placed({ orderId }), { id: `place ${orderId}` }));
      });
      await Promise.all(placed);
    };
    const share = ORDERS / (KILLS + 1);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const some = ids.slice(kill * share, (kill + 1) * share);
      const half = some.length / 2;
      await place(some.slice(0, half));
      // In the middle of the rest, and of what follows from the first.
      const rest = place(some.slice(half));
      await server.stop('SIGKILL');
      await staysAway();
      await server.start();
      await rest;
    }
    await place(ids.slice(KILLS * share));

    const orders = await Promise.all(
      ids.map((key) =>
        insist(() =>
          hosts[0]
            .repository(orderSaga)
            .waitUntil({ key }, ({ status }) => status === 'completed' || status === 'compensated', {
              timeout: '2m',
            }),
        ),
      ),
    );
    for (const { data, state, status } of orders) {
      const expected = isRefused(data.orderId) ? ['failed', 'compensated'] : ['completed', 'completed'];
      expect([data.orderId, state, status]).toEqual([data.orderId, ...expected]);
    }
    expect([...outside.charges].filter(([, effects]) => effects.size !== 1)).toEqual([]);
    expect(outside.charges.size).toBe(ORDERS);
    expect(
      [...outside.refunds].filter(([orderId, effects]) => effects.size !== 1 || !isRefused(orderId)),
    ).toEqual([]);
    expect(outside.refunds.size).toBe(ids.filter(isRefused).length);
    const store = redisStore(redis);
    await store.start();
    expect(await store.deadLetters({})).toEqual([]);
    await store.close();
    await Promise.all(hosts.map((host) => host.close()));
    redis.disconnect();
    await server.stop('SIGKILL');
  },
);
