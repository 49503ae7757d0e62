import { message, type } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openPlainCluster, type PlainCluster, type PlainNode } from '../messaging/support.js';
import { storeKinds } from './support.js';

const ref = z.object({ id: z.string() });
class Began extends message('m.began', ref) {}
class Went extends message('m.went', ref) {}
class Broke extends message('m.broke', ref) {}

interface First {
  id: string;
  steps: number;
}
const second = z.object({ id: z.string(), stops: z.array(z.string()) });
type Second = z.infer<typeof second>;

/** Nodes on virtual time: each look at intervals costs a real store a question for hours that go by. */
const SELDOM = { pollIntervalMs: 120_000, leaseMs: 120_000, sweepIntervalMs: 600_000 };

/** How a trip is paid back; by default at once. */
type Refund = () => Promise<void>;

function tripOfOne(refund: Refund = async () => {}) {
  const definition = defineSaga({
    name: 'trip',
    version: 1,
    data: type<First>(),
    correlateBy: 'id',
    states: ['waiting'],
    ends: { done: 'success', late: 'success', failed: 'undo' },
    events: [Began, Went, Broke],
    compensations: { refund: ref },
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Began)
      .then((ctx) => {
        ctx.compensateWith('refund', { id: ctx.event.id });
        return { id: ctx.event.id, steps: 2 };
      })
      .transitionTo('waiting');
    saga
      .during('waiting')
      .when(Went)
      .transitionTo('done')
      .when(Broke)
      .transitionTo('failed')
      .after('1h')
      .transitionTo('late');
    saga.compensate('refund', refund);
  });
}

interface Migration {
  readonly data?: (old: First) => Second;
  readonly states?: Readonly<Record<string, 'onTheWay'>>;
}

/** A later version, which takes over the ones that it says. */
function tripOf(
  version: number,
  migrate: Readonly<Record<number, Migration>>,
  refund: Refund = async () => {},
) {
  const definition = defineSaga({
    name: 'trip',
    version,
    data: second,
    correlateBy: 'id',
    states: ['onTheWay'],
    ends: { done: 'success', late: 'success', failed: 'undo' },
    events: [Began, Went, Broke],
    compensations: { refund: ref },
    migrate,
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Began)
      .then(({ event }) => ({ id: event.id, stops: [] }))
      .transitionTo('onTheWay');
    saga
      .during('onTheWay')
      .when(Went)
      .then((ctx) => void ctx.data.stops.push('went'))
      .transitionTo('done')
      .when(Broke)
      .transitionTo('failed')
      .after('1h')
      .transitionTo('late');
    saga.compensate('refund', refund);
  });
}

const states = { waiting: 'onTheWay' } as const;
const data = ({ id, steps }: First): Second => ({
  id,
  stops: Array.from({ length: steps }, (_, n) => `stop ${n}`),
});
const RIGHT: Migration = { data, states };
const cycle: { self?: unknown } = {};
cycle.self = cycle;
const giving = (value: unknown): Migration => ({ states, data: () => value as Second });

/** What a migration does wrong, and what is told of it. */
const WRONG: readonly (readonly [what: string, migration: Migration, told: RegExp])[] = [
  [
    'throws',
    {
      states,
      data: () => {
        throw new Error('no such field');
      },
    },
    /threw Error: no such field/,
  ],
  ['gives what its schema refuses', giving({ id: 'x', stops: 'none' }), /does not fit its schema: stops/],
  ['gives nothing', giving(undefined), /undefined/],
  ['gives a BigInt', giving({ id: 'x', stops: [], much: 1n }), /\.much is a bigint/],
  ['gives a cycle', giving({ id: 'x', stops: [], cycle }), /one of its own ancestors/],
  ['gives a Map', giving({ id: 'x', stops: [], map: new Map() }), /an instance of Map/],
  ['gives what could reach a prototype', giving(JSON.parse('{"__proto__":{"is":1}}')), /reach a prototype/],
  ['gives too much', giving({ id: 'x', stops: ['x'.repeat(300_000)] }), /the limit is/],
  ['is asynchronous', giving(Promise.resolve({ id: 'x', stops: [] })), /has to be synchronous/],
  [
    'is asynchronous, and fails',
    { states, data: (() => Promise.reject(new Error('later'))) as never },
    /has to be synchronous/,
  ],
  ['leaves a state that is not there', { data }, /waiting/],
];
const definition = tripOf(2, {}).definition;
const id = 'x';
const BY = { by: 'ada' };

let cluster: PlainCluster;
afterEach(() => cluster.close());

describe.each(storeKinds)('a migration, on $kind', (kind) => {
  beforeEach(async () => {
    cluster = await openPlainCluster(kind);
  });

  const node = (name: string, behaviour: ReturnType<typeof tripOf> | ReturnType<typeof tripOfOne>) =>
    cluster.node(name, (host) => host.register(behaviour as ReturnType<typeof tripOf>), {
      ...SELDOM,
      untracked: ['transaction'],
    });
  const find = (host: OrchestratorHost, key = id) => host.repository(definition).findByCorrelation(key);
  const heldLines = async (host: OrchestratorHost): Promise<readonly string[]> => {
    const { id: instance = '' } = (await find(host)) ?? {};
    const lines = await host.repository(definition).history(instance);
    return lines.filter((line) => line.kind === 'held').map(({ detail }) => JSON.stringify(detail));
  };
  /** An instance of the first version, which is alone in the store. */
  const left = async (events: readonly object[] = [], refund?: Refund): Promise<void> => {
    const old = await node('old', tripOfOne(refund));
    for (const event of [new Began({ id }), ...events]) {
      await old.host.bus.publish(event);
      await cluster.clock.settled();
    }
    await old.kill();
    // What it held is free by then.
    await cluster.clock.advance('3m');
  };
  const replayed = async ({ host }: PlainNode): Promise<void> => {
    const { id: instance = '' } = (await find(host)) ?? {};
    await host.operator.replay({ saga: 'trip', id: instance }, BY);
    await cluster.clock.advance('1s');
  };

  it.each(WRONG)('that %s holds its instance as it was, and the others go on', async (_, wrong, told) => {
    await left();
    let runs = 0;
    const counted = wrong.data;
    const migration: Migration =
      counted === undefined ? wrong : { ...wrong, data: (old) => ((runs += 1), counted(old)) };
    const bad = await node('bad', tripOf(2, { 1: migration }));
    await bad.host.bus.publish(new Went({ id }), { id: 'm1' });
    await bad.host.bus.publish(new Began({ id: 'y' }));
    await bad.host.bus.publish(new Went({ id: 'y' }));
    await cluster.clock.advance('30m');
    expect(await find(bad.host)).toMatchObject({
      ...{ definitionVersion: 1, state: 'waiting', status: 'held', data: { id, steps: 2 } },
    });
    expect(await find(bad.host, 'y')).toMatchObject({ state: 'done', data: { stops: ['went'] } });
    const held = await heldLines(bad.host);
    expect(held).toEqual([expect.stringMatching(/SAGA_MIGRATION/)]);
    expect(held[0]).toMatch(told);
    expect(runs).toBeLessThanOrEqual(2);
    expect(await cluster.store.deadLetters({})).toEqual([]);
    await expect(replayed(bad)).rejects.toMatchObject({ code: 'SAGA_MIGRATION' });
    await bad.kill();
    const good = await node('good', tripOf(3, { 1: RIGHT, 2: {} }));
    await replayed(good);
    expect(await find(good.host)).toMatchObject({
      ...{ definitionVersion: 3, state: 'done', status: 'completed' },
      data: { id, stops: ['stop 0', 'stop 1', 'went'] },
    });
  });

  it('that fails when a timer fires keeps the timer for the build that is right', async () => {
    await left();
    const bad = await node('bad', tripOf(2, { 1: giving(7n) }));
    await cluster.clock.advance('2h');
    expect(await find(bad.host)).toMatchObject({ definitionVersion: 1, state: 'waiting', status: 'held' });
    expect(await heldLines(bad.host)).toHaveLength(1);
    await bad.kill();
    const good = await node('good', tripOf(2, { 1: RIGHT }));
    await replayed(good);
    expect(await find(good.host)).toMatchObject({ state: 'late', data: { stops: ['stop 0', 'stop 1'] } });
  });

  it('that fails while its instance is undone holds it, and the step that was done is not done again', async () => {
    await left([new Broke({ id })], () => Promise.reject(new Error('away')));
    let refunds = 0;
    const refund = async (): Promise<void> => void (refunds += 1);
    const bad = await node('bad', tripOf(2, { 1: giving(new Map()) }, refund));
    await cluster.clock.advance('30m');
    expect(await find(bad.host)).toMatchObject({ definitionVersion: 1, state: 'failed', status: 'held' });
    expect(refunds).toBe(1);
    await bad.kill();
    const good = await node('good', tripOf(2, { 1: RIGHT }, refund));
    await replayed(good);
    await cluster.clock.advance('1m');
    expect(await find(good.host)).toMatchObject({ definitionVersion: 2, status: 'compensated' });
    expect(refunds).toBe(1);
    expect(await cluster.store.deadLetters({})).toEqual([]);
  });

  it('leads to one version at once: from one that it leaves out, an instance is held until a build names it', async () => {
    await left();
    const gap = await node('gap', tripOf(3, { 2: RIGHT }));
    await gap.host.bus.publish(new Went({ id }), { id: 'm1' });
    await cluster.clock.advance('30m');
    expect(await find(gap.host)).toMatchObject({ definitionVersion: 1, status: 'held' });
    expect(await heldLines(gap.host)).toEqual([
      expect.stringMatching(/No 'migrate' of this build begins at version 1/),
    ]);
    await gap.kill();
    const whole = await node('whole', tripOf(4, { 1: RIGHT, 2: RIGHT, 3: {} }));
    await replayed(whole);
    expect(await find(whole.host)).toMatchObject({ definitionVersion: 4, state: 'done' });
  });

  it('that fails in a transaction of the caller’s is told to the caller, and nothing has happened', async () => {
    await left();
    const bad = await node('bad', tripOf(2, { 1: giving({ id, stops: 1 }) }));
    const at = { now: cluster.clock.storeNow() };
    const joined = bad.store.transaction(
      ({ manager }) => bad.host.bus.within(manager).handle(new Went({ id })),
      at,
    );
    await expect(joined).rejects.toMatchObject({ code: 'SAGA_MIGRATION' });
    expect(await find(bad.host)).toMatchObject({ definitionVersion: 1, status: 'running' });
  });
});
