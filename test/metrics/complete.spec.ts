import { type ChannelGroup, createOrchestrator, type GroupStatistics } from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryStore, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { observeOrchestrator } from '@nestjs-orchestrator/nest/metrics';
import { defineMachine } from '@nestjs-orchestrator/statechart';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it, onTestFinished } from 'vitest';
import { nextRecord } from '../orchestrator/support.js';
import { world } from '../orchestrator/gateway/support.js';
import { testMeter } from './figures.js';

/** Figures of `stats()` that are no metric of their own, and why. */
const WITHOUT: Readonly<Record<string, string>> = {
  'latency.count': 'the histogram orchestrator.latency counts',
  'latency.mean': 'the histogram orchestrator.latency has sum and count',
  'cluster.gateway.epoch': 'names a term of office, and is no amount',
};

/** Figures whose metric is called otherwise, and the metric. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'latency.p50': 'orchestrator.latency.quantile{quantile=0.5}',
  'latency.p95': 'orchestrator.latency.quantile{quantile=0.95}',
  'latency.p99': 'orchestrator.latency.quantile{quantile=0.99}',
  'latency.max': 'orchestrator.latency.quantile{quantile=1}',
  'cluster.frames.waiting': 'orchestrator.transport.frames_waiting.current',
};

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The numbers among figures, by path. */
function numbersOf(figures: object, path = ''): readonly (readonly [path: string, value: number])[] {
  return Object.entries(figures).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === 'number') return [[path + name, value] as const];
    return typeof value === 'object' && value !== null ? numbersOf(value, `${path}${name}.`) : [];
  });
}

/** Numbers of `stats()` that no metric tells, or that it tells wrong. */
function untold(figures: GroupStatistics, told: Readonly<Record<string, number>>): string[] {
  const metrics = new Map(
    Object.entries(told).map(([name, value]) => [name.replace(/\{(transport|joins)=.*/, ''), value]),
  );
  return numbersOf(figures).flatMap(([path, value]) => {
    if (path in WITHOUT) return [];
    const name = `orchestrator.${path.replace('cluster.frames.', 'transport.').replace('cluster.gateway.', 'gateway.').replace('cluster.', 'transport.')}`;
    const names = path in OTHERWISE ? [OTHERWISE[path] as string] : [snake(name), `${snake(name)}.current`];
    return names.some((each) => metrics.get(each) === value) ? [] : [`${path}: ${value}`];
  });
}

async function told(group: ChannelGroup): Promise<Readonly<Record<string, number>>> {
  const { meter, figures } = testMeter();
  onTestFinished(observeOrchestrator(meter, group));
  return figures();
}

const door = defineMachine({ id: 'door', initial: 'shut', states: { shut: { on: { KNOCK: {} } } } });

it('every number of stats() is a metric, or an exception that says why', async () => {
  const { join, joinGateway } = world();
  const [one, office] = [await joinGateway('plant-1', 'gate'), await join('company', 'office')];
  await office.group.register(door).spawn({ id: 'front' });
  await one.group.ref({ cluster: 'company', group: 'ledgers', machine: 'front' }).request({ type: 'KNOCK' });
  await (await one.group.register(door).spawn()).request({ type: 'KNOCK' });
  const keeper = await createOrchestrator({ store: memoryStore(), clock: new VirtualClock() });
  onTestFinished(() => keeper.release());
  keeper.register(door);
  await (await keeper.spawn(door, { id: 'front', durable: true })).request({ type: 'KNOCK' });
  await (await keeper.spawn(door)).request({ type: 'KNOCK' });

  const paths = new Set<string>();
  for (const group of [one.group, keeper]) {
    const figures = await told(group);
    expect(untold(group.stats(), figures)).toEqual([]);
    for (const [path] of numbersOf(group.stats())) paths.add(path);
  }
  expect([...paths]).toEqual(expect.arrayContaining(Object.keys({ ...WITHOUT, ...OTHERWISE })));
  expect([...paths]).toEqual(
    expect.arrayContaining(['cluster.rejoins', 'cluster.gateway.framesOut', 'durable.atWork']),
  );
});

it('a place that was lost and taken again is a figure', async () => {
  const network = memoryNetwork();
  const group = await createOrchestrator({
    endpoint: 'one',
    clock: new VirtualClock(),
    transports: { memory: memoryTransport(network) },
  });
  onTestFinished(() => group.release());
  const rejoins = 'orchestrator.transport.rejoins{transport=memory}';
  expect(await told(group)).toMatchObject({ [rejoins]: 0 });
  const regained = nextRecord(group, 'membership').then(() => nextRecord(group, 'membership'));
  const [self] = group.processes();
  network.expel({ name: 'one', incarnation: self?.incarnation ?? '' });
  await regained;
  expect(await told(group)).toMatchObject({ [rejoins]: 1 });
});

it('a gateway tells its state', async () => {
  const { joinGateway } = world();
  const [one, two] = [await joinGateway('plant-1', 'gate-1'), await joinGateway('plant-1', 'gate-2')];
  const state = (name: string): string => `orchestrator.gateway.state{joins=company,state=${name}}`;
  expect(await told(one.group)).toMatchObject({ [state('active')]: 1, [state('standby')]: 0 });
  expect(await told(two.group)).toMatchObject({ [state('active')]: 0, [state('standby')]: 1 });
});
