import { message, type, type Duration, type MessageContext } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import {
  countedIds,
  faultPoints,
  seededRandom,
  VirtualClock,
  type FaultRecorder,
} from '@nestjs-orchestrator/testing';
import { redisStore } from '@nestjs-orchestrator/redis';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { createTestDatabase } from '../support/database.js';
import { redisNamespace } from '../support/redis.js';

const ref = z.object({ orderId: z.string() });
export class Placed extends message('t.placed', ref) {}
export class Charge extends message('t.charge', ref) {}
export class Paid extends message('t.paid', ref) {}
export class Ship extends message('t.ship', ref) {}
export class Shipped extends message('t.shipped', ref.extend({ ok: z.boolean() })) {}

export interface Order {
  orderId: string;
  paid: boolean;
}

export const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<Order>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment', 'awaitingShipment'],
  ends: { completed: 'success', failed: 'undo' },
  events: [Placed, Paid, Shipped],
  compensations: { refund: ref, recall: ref },
});

/** What the outside world has seen: ids of effects, so that a repeat can be told from a second one. */
export class World {
  readonly charges: string[] = [];
  /** Orders that the carrier was given. */
  readonly shipped: string[] = [];
  readonly undone: { readonly name: string; readonly key: string; readonly orderId: string }[] = [];
  /** Orders whose carrier says no. */
  readonly refuse = new Set<string>();
  /** Orders whose payment never answers. */
  readonly silent = new Set<string>();
}

function behaviour(world: World, timeout: Duration) {
  return buildSaga(orderSaga, (saga) => {
    saga
      .initially()
      .when(Placed)
      .then((ctx) => {
        ctx.compensateWith('refund', { orderId: ctx.event.orderId });
        ctx.send(new Charge({ orderId: ctx.event.orderId }));
        return { orderId: ctx.event.orderId, paid: false };
      })
      .transitionTo('awaitingPayment');
    saga
      .during('awaitingPayment')
      .when(Paid)
      .then((ctx) => {
        ctx.data.paid = true;
        ctx.compensateWith('recall', { orderId: ctx.data.orderId });
        ctx.send(new Ship({ orderId: ctx.data.orderId }));
      })
      .transitionTo('awaitingShipment')
      .after(timeout)
      .transitionTo('failed');
    saga
      .during('awaitingShipment')
      .when(Shipped)
      .then((ctx) => (ctx.event.ok ? 'completed' : 'failed'))
      .transitionToOneOf('completed', 'failed');
    for (const name of ['refund', 'recall'] as const) {
      saga.compensate(name, async ({ orderId }, ctx) => {
        world.undone.push({ name, key: ctx.idempotencyKey, orderId });
      });
    }
  });
}

/** Minutes go by in tests of several nodes: each look that finds nothing costs a real store as much as one that does. */
export const CALM = { pollIntervalMs: 20_000, leaseMs: 30_000 } as const;

/** A node that can die: after that it neither writes, nor hears of anything, nor wakes up. */
export interface Node {
  readonly name: string;
  readonly host: OrchestratorHost;
  /** Its way to the store. */
  readonly store: InstanceStore;
  readonly faults: FaultRecorder;
  readonly life: Life;
  kill(): Promise<void>;
  /** Stands still, as a process that is stopped: what it began to ask the store, and what was due, comes when it goes on. Gives the way to go on. */
  pause(): () => void;
}

/** How a node stands. */
interface Life {
  dead: boolean;
  /** Set: it stands still until then. */
  paused?: Promise<void> | undefined;
}

/** Two or more nodes on one store, with time in the test's hands. */
export interface Cluster {
  readonly clock: VirtualClock;
  readonly world: World;
  readonly store: InstanceStore;
  /** @param wrap puts something between a node and its store */
  node(name: string, wrap?: (store: InstanceStore) => InstanceStore): Promise<Node>;
  close(): Promise<void>;
}

/** A kind of store, opened for one test; `connect` is another node's connection to the same data. */
export interface StoreKind {
  readonly kind: string;
  /** A transaction of a node that is lost ends with its connection; one in memory has nobody to end it. */
  readonly losesConnections: boolean;
  open(): Promise<{ connect(): Promise<Connection>; close(): Promise<void> }>;
}

/** One node's way to the store, and what its death does to it. */
export interface Connection {
  readonly store: InstanceStore;
  readonly cut: () => Promise<void>;
}

export const storeKinds: readonly StoreKind[] = [
  {
    kind: 'memory',
    losesConnections: false,
    open: async () => {
      const store = memoryStore();
      return {
        connect: async () => ({ store: store.connect(), cut: async () => {} }),
        close: async () => {},
      };
    },
  },
  {
    kind: 'postgres',
    losesConnections: true,
    open: async () => {
      const database = await createTestDatabase();
      const sources: DataSource[] = [];
      const open = async (name: string): Promise<DataSource> => {
        const source = await new DataSource({
          type: 'postgres',
          url: database.url,
          applicationName: name,
        }).initialize();
        sources.push(source);
        return source;
      };
      const admin = await open('admin');
      return {
        connect: async () => {
          const name = `node-${sources.length}`;
          const store = typeormStore(await open(name));
          const cut = async (): Promise<void> => {
            await admin.query(
              // Nodes of other databases of the run have the same names.
              'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()',
              [name],
            );
          };
          return { store, cut };
        },
        close: async () => {
          await Promise.allSettled(sources.map((source) => source.destroy()));
          await database.drop();
        },
      };
    },
  },
  {
    kind: 'redis',
    losesConnections: true,
    open: async () => {
      const { url, prefix } = redisNamespace();
      // Only to be copied: each store makes its own connections.
      const client = new Redis(url, { lazyConnect: true });
      return {
        connect: async () => {
          // By the server's clock, which no test moves: nothing here waits for its end, and no machine stands still for so long.
          const store = redisStore(client, { prefix, decisionMs: 60_000 });
          return { store, cut: () => store.close() };
        },
        close: async () => client.disconnect(),
      };
    },
  },
];

/** Opens a cluster on a kind of store. */
export async function openCluster(kind: StoreKind, timeout: Duration = '1h'): Promise<Cluster> {
  const clock = new VirtualClock();
  const world = new World();
  const { connect, close } = await kind.open();
  const { store } = await connect();
  await store.start();
  const nodes: Node[] = [];
  const node: Cluster['node'] = async (name, wrap = (of) => of) => {
    const connection = await connect();
    const wrapped = { ...connection, store: wrap(connection.store) };
    const made = await openNode(name, clock, wrapped, world, timeout);
    nodes.push(made);
    return made;
  };
  return {
    clock,
    world,
    store,
    node,
    close: async () => {
      await Promise.all(nodes.filter((each) => !each.life.dead).map((each) => each.host.close()));
      await store.close();
      await close();
    },
  };
}

async function openNode(
  name: string,
  clock: VirtualClock,
  { store: connection, cut }: Connection,
  world: World,
  timeout: Duration,
): Promise<Node> {
  const faults = faultPoints();
  const life: Life = { dead: false };
  const store = mortal(clock.tracked(connection, `${name}.store`, ['transaction']), life);
  const host = new OrchestratorHost({
    store: patient(store, life),
    clock: patient(mortal(clock, life), life),
    faults,
    ids: countedIds(name),
    random: seededRandom(1),
    ...CALM,
  });
  host.register(behaviour(world, timeout));
  host.registerHandler({
    message: Charge,
    name: 'payments.charge',
    handle: ({ id, message: command, publish }: MessageContext<Charge>) => {
      world.charges.push(id);
      if (!world.silent.has(command.orderId)) publish(new Paid({ orderId: command.orderId }));
    },
  });
  host.registerHandler({
    message: Ship,
    name: 'shipping.ship',
    handle: ({ message: command, publish }: MessageContext<Ship>) => {
      world.shipped.push(command.orderId);
      publish(new Shipped({ orderId: command.orderId, ok: !world.refuse.has(command.orderId) }));
    },
  });
  await host.start();
  return {
    name,
    host,
    store,
    faults,
    life,
    kill: async () => {
      life.dead = true;
      await cut();
    },
    pause: () => {
      let goOn = (): void => {};
      life.paused = new Promise((resolve) => (goOn = resolve));
      return () => ((life.paused = undefined), goOn());
    },
  };
}

/** Methods that answer at once, so that they can't wait for a node that stands still. */
const AT_ONCE: ReadonlySet<PropertyKey> = new Set([
  'within',
  'onWork',
  'schedule',
  'now',
  'monotonic',
  'storeNow',
]);

/** `target`, whose calls and callbacks wait while its owner stands still. */
function patient<T extends object>(target: T, life: Life): T {
  const whenAwake = (run: () => unknown): unknown =>
    life.paused === undefined ? run() : life.paused.then(() => whenAwake(run));
  return new Proxy(target, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const given = args.map((arg) =>
          typeof arg === 'function'
            ? (...told: unknown[]) => whenAwake(() => Reflect.apply(arg, undefined, told))
            : arg,
        );
        const call = (): unknown => Reflect.apply(value, of, given);
        return AT_ONCE.has(name) ? call() : whenAwake(call);
      };
    },
  });
}

/** `target`, whose calls have no effect and no answer once its owner is dead. */
export function mortal<T extends object>(target: T, life: { readonly dead: boolean }): T {
  return new Proxy(target, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (!life.dead)
          return Reflect.apply(
            value,
            of,
            args.map((arg) => mortalCallback(arg, life)),
          );
        if (name === 'schedule') return { cancel: () => {} };
        return CLOCK_READS.has(name) ? 0 : NEVER;
      };
    },
  });
}

const NEVER = new Promise<never>(() => {});
const CLOCK_READS: ReadonlySet<PropertyKey> = new Set(['now', 'monotonic', 'storeNow']);

/** Callbacks of a dead node are not called. */
function mortalCallback(arg: unknown, life: { readonly dead: boolean }): unknown {
  if (typeof arg !== 'function') return arg;
  return (...args: unknown[]): unknown => (life.dead ? NEVER : Reflect.apply(arg, undefined, args));
}
