import 'reflect-metadata';
import { type ChannelGroup, globalOrchestrator, type MachineRef } from '@nestjs-orchestrator/core';
import { defineMachine } from '@nestjs-orchestrator/statechart';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CqrsModule, EventBus, EventsHandler, type IEventHandler } from '@nestjs/cqrs';
import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import * as xstate from 'xstate';
import { compare, type Result } from './measure.js';

const GROUPS = 1_000;
const MACHINES = 10_000;
/** Events that outside senders hand over before they let the event loop go on. */
const BURST = 10_000;
const ROUNDS = 8;

/** The orchestrator beside `@nestjs/cqrs` and `xstate`, in one run. `--stress` sends a million events and does all cycles. */
export async function* orchestrator(): AsyncGenerator<Result> {
  const stress = process.argv.includes('--stress');
  yield* turns(stress ? 1_000_000 : 200_000);
  yield* throughput(stress ? 1_000_000 : 200_000);
  yield* bySize();
  yield* requests(stress ? 200_000 : 20_000);
  yield* cycles(stress ? 10_000 : 1_000);
}

const ring = {
  id: 'ring',
  initial: 'a',
  states: { a: { on: { NEXT: 'b' } }, b: { on: { NEXT: 'c' } }, c: { on: { NEXT: 'a' } } },
};
const flat = defineMachine(ring);

/** Takes an event only if it was meant for a machine of its group. */
const guarded = defineMachine(
  {
    id: 'guarded',
    initial: 'a',
    context: ({ input }: { input: unknown }) => ({ group: input }),
    states: {
      a: { on: { NEXT: { target: 'b', guard: 'isOwn' } } },
      b: { on: { NEXT: { target: 'a', guard: 'isOwn' } } },
    },
  },
  {
    guards: {
      isOwn: ({ context, event }: { context: { group: number }; event: { group: number } }) =>
        check(context.group === event.group),
    },
  },
);
let strays = 0;

function check(own: boolean): boolean {
  if (!own) strays += 1;
  return own;
}

interface Field {
  readonly groups: readonly ChannelGroup[];
  readonly refs: readonly MachineRef[];
  clear(): Promise<void>;
}

/** So many machines, spread over groups. */
async function field(
  machine: typeof flat | typeof guarded,
  groupCount: number,
  machineCount: number,
): Promise<Field> {
  const groups = Array.from({ length: groupCount }, (_, at) =>
    globalOrchestrator().createChannelGroup(`bench-${at}`),
  );
  for (const group of groups) group.register(machine as typeof flat);
  const spawns = Array.from({ length: machineCount }, (_, at) => {
    const group = groups[at % groupCount] as ChannelGroup;
    return group.spawn(machine as typeof flat, { input: group.groupId });
  });
  const refs = (await Promise.all(spawns)) as unknown as MachineRef[];
  return {
    groups,
    refs,
    clear: async () => void (await Promise.all(groups.map((group) => group.release()))),
  };
}

/** Sends to all machines in turn, as somebody outside does, and waits until all is handled. */
async function flood(
  { groups, refs }: Field,
  events: readonly { type: string }[],
  count: number,
): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const ref = refs[at % refs.length] as MachineRef;
    const event = events[at % events.length] as { type: string };
    if (!ref.trySend(event)) await ref.send(event);
    else if (at % BURST === BURST - 1) await nextTurn();
  }
  for (const group of groups) await group.drain();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function rateOf(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (count / (performance.now() - started)) * 1_000;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * How long the pool holds the event loop under a flood into 10 000 machines of one group, timed from outside by a scheduler; and the same without the collections of garbage that
 * fell into its turns, which stop the process whoever has the event loop. Before the peers have run, whose garbage is not ours.
 */
async function* turns(count: number): AsyncGenerator<Result> {
  const spans: Span[] = [];
  const timed = (task: () => void) => (): void => {
    const from = performance.now();
    task();
    spans.push({ from, to: performance.now() });
  };
  const scheduler = {
    soon: (task: () => void) => queueMicrotask(timed(task)),
    nextTurn: (task: () => void) => void setImmediate(timed(task)),
  };
  const group = globalOrchestrator().createChannelGroup('turns', { scheduler });
  group.register(flat);
  const refs = await Promise.all(Array.from({ length: MACHINES }, () => group.spawn(flat)));
  const plain: Field = {
    groups: [group],
    refs,
    clear: () => group.release(),
  };
  await flood(plain, [{ type: 'NEXT' }], count);
  const collections: Span[] = [];
  const keep = (entries: readonly PerformanceEntry[]): void => {
    for (const { startTime, duration } of entries)
      collections.push({ from: startTime, to: startTime + duration });
  };
  const observer = new PerformanceObserver((list) => keep(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  spans.length = 0;
  for (let round = 0; round < ROUNDS; round += 1) await flood(plain, [{ type: 'NEXT' }], count);
  await nextTurn();
  keep(observer.takeRecords());
  observer.disconnect();
  const longest = (lengths: readonly number[]): number => Math.max(0, ...lengths);
  const lengthOf = ({ from, to }: Span): number => to - from;
  const ownOf = (span: Span): number =>
    lengthOf(span) - collections.reduce((sum, each) => sum + overlap(span, each), 0);
  const long = spans.filter((span) => lengthOf(span) > 1);
  const limit = 'limit of 10 ms';
  yield less('longest turn of the pool', longest(long.map(lengthOf)), 10, limit, 'ms');
  yield less('the same without collections of garbage', longest(long.map(ownOf)), 10, limit, 'ms');
  yield less('longest collection of garbage meanwhile', longest(collections.map(lengthOf)), 10, limit, 'ms');
  yield less(
    'collections of garbage per million events',
    (collections.length * 1e6) / (ROUNDS * count),
    NaN,
    '',
    '',
  );
  await plain.clear();
}

function overlap(one: Span, other: Span): number {
  return Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));
}

async function* throughput(count: number): AsyncGenerator<Result> {
  const plain = await field(flat, GROUPS, MACHINES);
  const checked = await field(guarded, GROUPS, MACHINES);
  const next = [{ type: 'NEXT' }];
  const own = checked.groups.map(({ groupId }) => ({ type: 'NEXT', group: groupId }));
  const actors = Array.from({ length: MACHINES }, () =>
    xstate.createActor(xstate.createMachine(ring as never)).start(),
  );
  const cqrs = await eventBus();
  const before = checked.groups.reduce((sum, group) => sum + group.stats().processed, 0);
  const best = { plain: 0, checked: 0, sent: 0, published: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    best.plain = Math.max(best.plain, await rateOf(count, () => flood(plain, next, count)));
    best.checked = Math.max(best.checked, await rateOf(count, () => flood(checked, own, count)));
    best.sent = Math.max(best.sent, await rateOf(count / 10, async () => sendAll(actors, count / 10)));
    best.published = Math.max(best.published, await rateOf(5_000, () => cqrs.publish(5_000)));
  }
  const handled = checked.groups.reduce((sum, group) => sum + group.stats().processed, 0) - before;
  if (strays > 0 || handled !== ROUNDS * count)
    throw new Error(`${strays} strays, ${handled} of ${ROUNDS * count} events handled`);
  yield compare(
    'events: 10 000 machines in 1 000 groups',
    best.plain,
    1e6,
    'limit of 1 000 000/s',
    'events/s',
  );
  yield compare(
    'events: isolation checked at the receiver',
    best.checked,
    1e6,
    'limit of 1 000 000/s',
    'events/s',
  );
  yield compare(
    'events against publish',
    best.plain,
    best.published,
    '@nestjs/cqrs EventBus.publish',
    'events/s',
  );
  yield compare('events against send', best.plain, best.sent, 'xstate actor.send', 'events/s');
  await Promise.all([plain.clear(), checked.clear(), cqrs.close()]);
}

function sendAll(actors: readonly xstate.AnyActor[], count: number): void {
  for (let at = 0; at < count; at += 1) actors[at % actors.length]?.send({ type: 'NEXT' });
}

class Happened {}

interface Bus {
  publish(count: number): Promise<void>;
  close(): Promise<void>;
}

/** An application with one event handler, as the peer's guide has it. */
async function eventBus(): Promise<Bus> {
  let left = 0;
  let allHandled = (): void => {};
  class Handler implements IEventHandler<Happened> {
    handle(): void {
      left -= 1;
      if (left === 0) allHandled();
    }
  }
  EventsHandler(Happened)(Handler);
  class App {}
  Module({ imports: [CqrsModule.forRoot()], providers: [Handler] })(App);
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  const bus = app.get(EventBus);
  return {
    publish(count) {
      left = count;
      const handled = new Promise<void>((resolve) => (allHandled = resolve));
      for (let at = 0; at < count; at += 1) void bus.publish(new Happened());
      return handled;
    },
    close: () => app.close(),
  };
}

/** Cost per event with 1, 4 and 16 times as many machines; the peer is ourselves with the fewest. */
async function* bySize(): AsyncGenerator<Result> {
  const sizes = [1, 4, 16] as const;
  const fields = new Map<number, Field>();
  for (const size of sizes) fields.set(size, await field(flat, GROUPS, size * MACHINES));
  const best = new Map<number, number>();
  for (let round = 0; round < 4; round += 1) {
    for (const [size, machines] of fields) {
      const count = size * MACHINES * 2;
      const rate = await rateOf(count, () => flood(machines, [{ type: 'NEXT' }], count));
      best.set(size, Math.max(best.get(size) ?? 0, rate));
    }
  }
  for (const size of sizes.slice(1)) {
    yield compare(
      `events: ${size * MACHINES} machines`,
      best.get(size) ?? NaN,
      best.get(1) ?? NaN,
      `ours with ${MACHINES}`,
      'events/s',
    );
  }
  for (const machines of fields.values()) await machines.clear();
}

/** Round trips one after the other, to machines in turn. */
async function* requests(count: number): AsyncGenerator<Result> {
  const { refs, clear } = await field(flat, 10, 100);
  const times = new Float64Array(count);
  for (let at = 0; at < count * 2; at += 1) {
    const started = performance.now();
    await refs[at % refs.length]?.request({ type: 'NEXT' });
    times[at % count] = (performance.now() - started) * 1_000;
  }
  times.sort();
  yield less('request round trip, p50', times[Math.floor(count * 0.5)] ?? NaN, 10, 'limit of 10 µs', 'µs');
  yield less('request round trip, p99', times[Math.floor(count * 0.99)] ?? NaN, 100, '100 µs', 'µs');
  await clear();
}

/** Groups made, used and released again; and the heap after a hundred of them. */
async function* cycles(count: number): AsyncGenerator<Result> {
  const rate = await rateOf(count, async () => {
    for (let at = 0; at < count; at += 1) await cycle(4);
  });
  yield compare('create and release cycles', rate, 1_000, '1 000/s', 'cycles/s');
  for (let at = 0; at < 100; at += 1) await cycle(100);
  const before = heap();
  for (let at = 0; at < 100; at += 1) await cycle(100);
  const after = heap();
  yield less('heap after 100 cycles', after, before, 'before them', 'MB');
}

async function cycle(machines: number): Promise<void> {
  const used = await field(flat, 1, machines);
  await flood(used, [{ type: 'NEXT' }], machines * 2);
  await used.clear();
}

function heap(): number {
  global.gc?.();
  global.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

/** As `compare`, where less is better. */
function less(name: string, ours: number, peer: number, peerName: string, unit: string): Result {
  return { ...compare(name, ours, peer, peerName, unit), ratio: Number((peer / ours).toPrecision(4)) };
}
