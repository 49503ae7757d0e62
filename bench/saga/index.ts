import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { compare, type Result } from '../measure.js';
import { startDbos } from './dbos.js';
import { closedLoop, type Load } from './load.js';
import { startOrders, type Orders } from './orders.js';
import { POOL, readMeter, startServer, type Server } from './server.js';

/** Orders in flight at the same time. */
const IN_FLIGHT = 256;

/** Sagas beside their peers, on one server that keeps what it acknowledges. */
export async function* saga(): AsyncGenerator<Result> {
  const server = await startServer();
  try {
    yield* orders(server);
  } finally {
    await server.stop();
  }
}

async function* orders(server: Server): AsyncGenerator<Result> {
  const theirs = await dbosOrders(server);
  const url = await server.database('orders');
  const source = await dataSource(url);
  const node = await startOrders(typeormStore(source));
  const meter = new Client(url);
  await meter.connect();
  await closedLoop(500, IN_FLIGHT, (n) => node.place(`warm-${n}`));
  node.counts.clear();
  const before = await readMeter(meter);
  const total = size('orders', 4_000);
  const ours = await closedLoop(total, IN_FLIGHT, (n) => node.place(`order-${n}`));
  // The server's statistics come with a delay of up to a second.
  await node.close();
  await source.destroy();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const after = await readMeter(meter);
  await meter.end();
  yield compare('3-step orders to completion', ours.perSecond, theirs.perSecond, 'DBOS', 'orders/s');
  yield compare(
    '3-step orders to completion, target',
    ours.perSecond,
    theirs.perSecond * 15,
    '15 × DBOS',
    'orders/s',
  );
  yield less('3-step order, p50', ours.p50, theirs.p50, 'DBOS', 'ms');
  yield less('3-step order, p99', ours.p99, theirs.p99, 'DBOS', 'ms');
  yield* perOrder(node, total);
  yield figure('transactions per order', (after.transactions - before.transactions) / total, '');
  yield figure('WAL per order', (after.walBytes - before.walBytes) / total, 'bytes');
  const memory = await startOrders(memoryStore());
  await closedLoop(500, IN_FLIGHT, (n) => memory.place(`warm-${n}`));
  const inMemory = await closedLoop(total, IN_FLIGHT, (n) => memory.place(`order-${n}`));
  await memory.close();
  yield figure('3-step orders in memory', inMemory.perSecond, 'orders/s');
}

async function dbosOrders(server: Server): Promise<Load> {
  const dbos = await startDbos(await server.database('dbos'));
  await closedLoop(100, 64, (n) => dbos.place(`warm-${n}`));
  const load = await closedLoop(size('dbos', 1_000), IN_FLIGHT, (n) => dbos.place(`order-${n}`));
  await dbos.close();
  return load;
}

/** Statements and their items by kind. */
function* perOrder(node: Orders, total: number): Generator<Result> {
  for (const [name, { calls, items }] of [...node.counts].toSorted(([a], [b]) => a.localeCompare(b))) {
    if (name === 'onWork' || name === 'close') continue;
    yield figure(`calls of ${name} per order`, calls / total, 'calls');
    yield figure(`items of ${name} per order`, items / total, 'items');
  }
}

export function dataSource(url: string): Promise<DataSource> {
  return new DataSource({ type: 'postgres', url, poolSize: POOL }).initialize();
}

/** Where less is better: the ratio says how many times less than the peer we take. */
function less(name: string, ours: number, peer: number, peerName: string, unit: string): Result {
  const line = compare(name, ours, peer, peerName, unit);
  return { ...line, ratio: Number((peer / ours).toPrecision(3)) };
}

/** A figure that stands alone. */
function figure(name: string, value: number, unit: string): Result {
  return {
    name,
    ours: Number(value.toPrecision(3)),
    peer: Number.NaN,
    peerName: 'none',
    ratio: Number.NaN,
    unit,
  };
}

/** Size of a part, `--orders=4000` on the command line. */
function size(name: string, otherwise: number): number {
  const given = process.argv.find((argument) => argument.startsWith(`--${name}=`));
  return given === undefined ? otherwise : Number(given.split('=')[1]);
}
