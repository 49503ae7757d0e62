import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { Client } from 'pg';
import { compare, type Result } from '../measure.js';
import { startDbos } from './dbos.js';
import { events, eventsOn } from './events.js';
import { figure, less } from '../figures.js';
import { closedLoop, type Load } from './load.js';
import { startOrders, type Orders } from './orders.js';
import { onRedis } from './redis.js';
import { readMeter, startServer, type Server } from './server.js';
import { size } from './size.js';
import { dataSource } from './source.js';

/** Orders in flight at the same time. */
const IN_FLIGHT = size('in-flight', 256);

/**
 * Sagas beside their peers, on one server that keeps what it acknowledges. `@dudousxd/nestjs-durable` is none of them: its peers are NestJS 10 or 11, and here is 12.
 */
export async function* saga(): AsyncGenerator<Result> {
  if (wants('memory'))
    yield* named(
      'in memory',
      onStore(() => memoryStore()),
    );
  if (wants('redis')) yield* named('on Redis', onRedis(onStore));
  if (!wants('postgres') && !wants('events')) return;
  const server = await startServer();
  try {
    await server.age();
    if (wants('postgres')) yield* postgresOrders(server);
    if (wants('events')) yield* events(server);
  } finally {
    await server.stop();
  }
}

/** What can be said of any store: orders, and events beside no peer. */
async function* onStore(store: (name: string) => InstanceStore): AsyncGenerator<Result> {
  const node = await startOrders(store('orders'));
  const { load, cpu } = await measured(node);
  await node.close();
  yield figure('3-step orders', load.perSecond, 'orders/s');
  yield figure('3-step order, p50', load.p50, 'ms');
  yield figure('3-step order, p99', load.p99, 'ms');
  yield figure('processor time of an order', cpu, 'µs');
  yield* perOrder(node, TOTAL);
  yield* eventsOn(store('events'));
}

async function* named(where: string, results: AsyncGenerator<Result>): AsyncGenerator<Result> {
  // A node that waits for its timers keeps no process alive, and in memory there is no connection that would.
  const awake = setInterval(() => {}, 60_000);
  for await (const result of results) yield { ...result, name: `${where}: ${result.name}` };
  clearInterval(awake);
}

async function* postgresOrders(server: Server): AsyncGenerator<Result> {
  const theirs = wants('dbos') ? await dbosOrders(server) : null;
  const url = await server.database('orders');
  const source = await dataSource(url);
  const node = await startOrders(typeormStore(source));
  const meter = new Client(url);
  await meter.connect();
  const before = await readMeter(meter);
  const busyBefore = await server.processorSeconds();
  const { load: ours, cpu } = await measured(node);
  const busy = (await server.processorSeconds()) - busyBefore;
  await node.close();
  await source.destroy();
  // The server's statistics come with a delay of up to a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const after = await readMeter(meter);
  await meter.end();
  if (theirs !== null) {
    yield compare('3-step orders to completion', ours.perSecond, theirs.best, 'DBOS', 'orders/s');
    yield compare(
      '3-step orders to completion, target',
      ours.perSecond,
      theirs.best * 15,
      '15 × DBOS',
      'orders/s',
    );
    yield less('3-step order, p50', ours.p50, theirs.load.p50, 'DBOS', 'ms');
    yield less('3-step order, p99', ours.p99, theirs.load.p99, 'DBOS', 'ms');
  }
  yield figure('3-step orders', ours.perSecond, 'orders/s');
  yield figure('processor time of an order', cpu, 'µs');
  yield figure('processor time of the server for an order', (busy * 1e6) / (TOTAL + WARM), 'µs');
  yield* ordersWhenPublished(server, theirs);
  yield* perOrder(node, TOTAL);
  yield figure('transactions per order', (after.transactions - before.transactions) / (TOTAL + WARM), '');
  yield figure('WAL per order', (after.walBytes - before.walBytes) / (TOTAL + WARM), 'bytes');
}

/** Orders whose first message is handled in the commit that makes it durable: four commits for each, where DBOS makes five. */
async function* ordersWhenPublished(server: Server, theirs: Theirs | null): AsyncGenerator<Result> {
  const source = await dataSource(await server.database('placed'));
  const node = await startOrders(typeormStore(source), true);
  const { load: ours, cpu } = await measured(node);
  await node.close();
  await source.destroy();
  yield figure('3-step orders handled when published', ours.perSecond, 'orders/s');
  yield figure('processor time of an order handled when published', cpu, 'µs');
  if (theirs === null) return;
  const name = '3-step orders handled when published, to completion';
  yield compare(name, ours.perSecond, theirs.best, 'DBOS', 'orders/s');
}

const TOTAL = size('orders', 4_000);
/** Enough for the server to have plans that it keeps. */
const WARM = size('warm', 4_000);

/** Orders at full load, after a warm-up; and the processor time of this process for one of them, in microseconds. */
async function measured(node: Orders): Promise<{ readonly load: Load; readonly cpu: number }> {
  await closedLoop(WARM, IN_FLIGHT, (n) => node.place(`warm-${n}`));
  node.counts.clear();
  const began = process.cpuUsage();
  const load = await closedLoop(TOTAL, IN_FLIGHT, (n) => node.place(`order-${n}`));
  const { user, system } = process.cpuUsage(began);
  return { load, cpu: (user + system) / TOTAL };
}

/** Of DBOS: as many in flight as we have, and its best rate with that many or fewer. */
interface Theirs {
  readonly load: Load;
  readonly best: number;
}

async function dbosOrders(server: Server): Promise<Theirs> {
  const dbos = await startDbos(await server.database('dbos'));
  await closedLoop(100, 64, (n) => dbos.place(`warm-${n}`));
  const total = size('dbos', 1_000);
  const load = await closedLoop(total, IN_FLIGHT, (n) => dbos.place(`order-${n}`));
  const rates = [load.perSecond];
  for (const inFlight of [20, 64])
    rates.push((await closedLoop(total, inFlight, (n) => dbos.place(`order-${inFlight}-${n}`))).perSecond);
  await dbos.close();
  return { load, best: Math.max(...rates) };
}

/** Statements and their items by kind. */
function* perOrder(node: Orders, total: number): Generator<Result> {
  for (const [name, { calls, items, ms }] of [...node.counts].toSorted(([a], [b]) => a.localeCompare(b))) {
    if (name === 'onWork' || name === 'close') continue;
    yield figure(`calls of ${name} per order`, calls / total, 'calls');
    yield figure(`items of ${name} per order`, items / total, 'items');
    yield figure(`mean time of ${name}`, ms / calls, 'ms');
  }
}

/** Whether a part is to run: all do, unless `--only=memory,postgres` names some. */
function wants(part: string): boolean {
  const given = process.argv.find((argument) => argument.startsWith('--only='));
  return given === undefined || given.slice('--only='.length).split(',').includes(part);
}
