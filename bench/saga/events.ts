import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { Client } from 'pg';
import { compare, type Result } from '../measure.js';
import { startCounters, type Counters } from './counters.js';
import { figure } from '../figures.js';
import { closedLoop, openLoop, quantile, type Load } from './load.js';
import { runPgbench } from './pgbench.js';
import { dataSource } from './source.js';
import type { Server } from './server.js';
import { size } from './size.js';

const COUNTERS = 1_000;
const SENDERS = 16;
const IN_FLIGHT = 256;
/** Tries at full load, of which the best counts: pgbench has as many. */
const TRIES = 3;

/** Events per second beside pgbench, one busy instance, latency at half load, timers, and the cost with many stored sagas. */
export async function* events(server: Server): AsyncGenerator<Result> {
  const url = await server.database('events');
  const source = await dataSource(url);
  const node = await startCounters(typeormStore(source));
  const full = await fullLoad(node);
  yield figure('events on 1 000 instances', full.perSecond, 'events/s');
  const peer = await runPgbench(url);
  if (typeof peer === 'string') yield figure(`pgbench: ${peer}`, Number.NaN, '');
  else {
    yield compare('events beside one commit of the same rows', full.perSecond, peer, 'pgbench', 'events/s');
    yield compare('events, target', full.perSecond, peer * 1.5, '1.5 × pgbench', 'events/s');
  }
  yield* halfLoad(node, full.perSecond / 2);
  yield* oneInstance(node);
  yield* timers(node);
  await node.close();
  yield* stored(() => typeormStore(source), server, url);
  await source.destroy();
  yield* handledWhenPublished(server, peer);
}

/** Events that are handled in the commit that makes them durable: one commit for each, as with pgbench. */
async function* handledWhenPublished(server: Server, peer: number | string): AsyncGenerator<Result> {
  const source = await dataSource(await server.database('published'));
  const node = await startCounters(typeormStore(source), true);
  const { perSecond } = await fullLoad(node);
  yield figure('events handled when published, on 1 000 instances', perSecond, 'events/s');
  if (typeof peer === 'number')
    yield compare(
      'events handled when published, target',
      perSecond,
      peer * 1.5,
      '1.5 × pgbench',
      'events/s',
    );
  await node.close();
  await source.destroy();
}

/** The same without peers, for another store. */
export async function* eventsOn(store: InstanceStore): AsyncGenerator<Result> {
  const node = await startCounters(store);
  const { perSecond } = await fullLoad(node);
  yield figure('events on 1 000 instances', perSecond, 'events/s');
  yield* halfLoad(node, perSecond / 2);
  yield* oneInstance(node);
  yield* timers(node);
  await node.close();
}

/** Events on many counters, after they were opened and a warm-up. */
async function fullLoad(node: Counters): Promise<Load> {
  await closedLoop(COUNTERS, IN_FLIGHT, (n) => node.open(`c${n}`));
  const add = (n: number): Promise<void> => node.add(`c${n % COUNTERS}`);
  await closedLoop(5_000, IN_FLIGHT, add);
  const tries: Load[] = [];
  for (let n = 0; n < TRIES; n += 1) tries.push(await closedLoop(size('events', 10_000), IN_FLIGHT, add));
  return tries.reduce((best, load) => (load.perSecond > best.perSecond ? load : best));
}

async function* halfLoad(node: Counters, rate: number): AsyncGenerator<Result> {
  node.counts.clear();
  const times = await openLoop(rate, size('half-load-ms', 5_000), (n) => node.add(`c${n % COUNTERS}`));
  yield figure('half load: event to commit, p50', quantile(times, 0.5), 'ms');
  yield figure('half load: event to commit, p99', quantile(times, 0.99), 'ms');
  const saved = quantile(node.counts.get('commit')?.times ?? [], 0.99);
  yield compare('half load: state saved, p99, of 10 ms', 10, saved, 'measured ms', 'ms');
}

async function* oneInstance(node: Counters): AsyncGenerator<Result> {
  await node.open('busy');
  const load = await closedLoop(1_000, SENDERS, () => node.add('busy'));
  yield figure('one instance, 16 senders', load.perSecond, 'events/s');
  yield figure('one instance, 16 senders, p99', load.p99, 'ms');
  yield figure('one instance, 16 senders, lost of 1 000', 1_000 - (await node.count('busy')), '');
}

async function* timers(node: Counters): AsyncGenerator<Result> {
  const total = size('timers', 10_000);
  // They are due as they were armed: spread over ten seconds, after the last of them was.
  await openLoop(total / 10, 10_000, (n) => node.arm(`t${n}`));
  yield figure('timers fired', node.lateness.length, '');
  yield figure('lateness of timers, p50', quantile(node.lateness, 0.5), 'ms');
  yield compare(
    'lateness of timers, p99, of 100 ms',
    100,
    quantile(node.lateness, 0.99),
    'measured ms',
    'ms',
  );
}

/** How many instances one measurement of the stored ones meets, each once: a node that knows an instance asks less. */
const MET = 1_000;

/** Copies of one instance fill the tables; events go to instances all over them, by nodes that know none. The middle one of three. */
async function* stored(store: () => InstanceStore, server: Server, url: string): AsyncGenerator<Result> {
  const client = new Client(url);
  await client.connect();
  // As many as filling takes; a checkpoint after it would add the image of each page to the first change of it.
  await server.age(80);
  let rate = Number.NaN;
  let there = 0;
  for (const count of [MET, 10_000, 100_000, size('stored', 1_000_000)]) {
    await client.query(FILL, [there, count - 1]);
    await client.query('VACUUM ANALYZE orchestrator.instance, orchestrator.instance_key');
    there = count;
    const step = Math.max(1, Math.floor(count / MET));
    const rates: number[] = [];
    // The first one only warms up: connections make their plans.
    for (let round = 0; round < 4; round += 1) {
      const node = await startCounters(store());
      const load = await closedLoop(MET, IN_FLIGHT, (n) => node.add(`s${(n * step + round) % count}`));
      if (round > 0) rates.push(load.perSecond);
      await node.close();
    }
    const found = quantile(rates, 0.5);
    if (Number.isNaN(rate)) rate = found;
    yield compare(`events with ${count} more sagas stored`, found, rate, '1 000 stored', 'events/s');
  }
  await client.end();
}

const FILL = `
WITH fresh AS (SELECT 's' || n AS name FROM generate_series($1::int, $2::int) n),
model AS (SELECT * FROM orchestrator.instance WHERE state = 'open' LIMIT 1),
filled AS (
  INSERT INTO orchestrator.instance (tenant, saga, id, version, definition_version, state, status, data, machine, undo, ended, created_at, updated_at)
  SELECT m.tenant, m.saga, f.name, 1, m.definition_version, m.state, m.status, json_build_object('counterId', f.name, 'count', 0)::text,
    m.machine, m.undo, false, m.created_at, m.updated_at
  FROM fresh f, model m
  RETURNING tenant, saga, state, created_at, seq, id
),
listed AS (
  INSERT INTO orchestrator.instance_state (tenant, saga, state, created_at, seq, instance_id)
  SELECT tenant, saga, state, created_at, seq, id FROM filled
)
INSERT INTO orchestrator.instance_key (tenant, saga, name, value, instance_id)
SELECT m.tenant, m.saga, 'counterId', f.name, f.name FROM fresh f, model m`;
