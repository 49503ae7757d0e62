import { message, type } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { DeadLetter } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openPlainCluster, type PlainCluster, type PlainNode } from '../messaging/support.js';
import { storeKinds } from './support.js';

const ref = z.object({ id: z.string() });
const noted = ref.extend({ text: z.string() });
class Began extends message('o.began', ref) {}
class Closed extends message('o.closed', ref) {}
class Added extends message('o.added', noted) {}
class Labelled extends message('o.labelled', noted) {}
/** The same message of a newer build, without what the older one needs. */
class AddedLater extends message('o.added', ref.extend({ words: z.string() }), { version: 2 }) {}

const PATIENCE = '10m';

interface Build {
  readonly version: number;
  readonly added?: typeof Added | typeof AddedLater;
  readonly labelled?: boolean;
}

function shelf({ version, added = Added, labelled = false }: Build) {
  const definition = defineSaga({
    name: 'shelf',
    version,
    data: type<{ id: string; texts: string[] }>(),
    correlateBy: 'id',
    states: ['open'],
    ends: { closed: 'success' },
    patience: PATIENCE,
    events: [Began, Closed, added, ...(labelled ? [Labelled] : [])],
    ...(version > 1 ? { migrate: { 1: {} } } : {}),
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Began)
      .then(({ event }) => ({ id: event.id, texts: [] }))
      .transitionTo('open');
    saga
      .during('open')
      .when(added as typeof Added)
      .then(({ data, event }) => {
        const { text, words } = event as { text?: string; words?: string };
        data.texts.push(text ?? words ?? '');
      });
    saga.during('open').when(Closed).transitionTo('closed');
    if (!labelled) return;
    saga
      .during('open')
      .when(Labelled)
      .then(({ data, event }) => void data.texts.push(event.text));
  });
}

const first = shelf({ version: 1 });
const id = 'x';

let cluster: PlainCluster;
afterEach(() => cluster.close());

describe.each(storeKinds)('a message that only a newer build can take, on $kind', (kind) => {
  const node = (name: string, behaviour: unknown): Promise<PlainNode> =>
    cluster.node(name, (host) => host.register(behaviour as SagaBehaviour));
  const texts = async ({ host }: PlainNode): Promise<unknown> =>
    (await host.repository(first.definition).findByCorrelation(id))?.data.texts;
  const letters = async ({ operator }: OrchestratorHost): Promise<DeadLetter[]> => {
    const found: DeadLetter[] = [];
    for await (const letter of operator.deadLetters()) found.push(letter);
    return found;
  };

  /** An instance of the older build, and messages of a newer one that are due when none but a node of the older is up. */
  const leave = async (build: Build, events: readonly object[]): Promise<PlainNode> => {
    cluster = await openPlainCluster(kind);
    const old = await node('old', first);
    await old.host.bus.publish(new Began({ id }));
    await cluster.clock.settled();
    const newer = await node('newer', shelf(build));
    for (const event of events) await newer.host.bus.publish(event, { delay: '1s' });
    await cluster.clock.settled();
    await newer.kill();
    return old;
  };

  const builds: readonly (readonly [what: string, build: Build, event: object])[] = [
    ['no event of the older', { version: 2, labelled: true }, new Labelled({ id, text: 'late' })],
    [
      'of a schema that the older refuses',
      { version: 2, added: AddedLater },
      new AddedLater({ id, words: 'late' }),
    ],
  ];

  it.each(builds)('%s, waits however often an older node gives it back', async (_, build, event) => {
    const old = await leave(build, [event, new Began({ id })]);
    await cluster.clock.advance('8m');
    expect(await letters(old.host)).toEqual([]);
    expect(await texts(old)).toEqual([]);
    const next = await node('next', shelf(build));
    await cluster.clock.advance('1m');
    expect(await texts(next)).toEqual(['late']);
    expect(await letters(next.host)).toEqual([]);
  });

  it.each(builds)('%s, is a dead letter when patience is over', async (_, build, event) => {
    const old = await leave(build, [event]);
    await cluster.clock.advance('12m');
    expect(await letters(old.host)).toHaveLength(1);
    expect(await texts(old)).toEqual([]);
  });

  it('and for which an instance is awaited, waits with what is behind it', async () => {
    cluster = await openPlainCluster(kind);
    const build = { version: 2, labelled: true };
    const newer = await node('newer', shelf(build));
    await newer.host.bus.publish(new Labelled({ id, text: 'one' }));
    await newer.host.bus.publish(new Added({ id, text: 'two' }));
    await cluster.clock.settled();
    await newer.kill();
    const old = await node('old', first);
    await old.host.bus.publish(new Began({ id }));
    await cluster.clock.advance('1m');
    await old.host.bus.publish(new Added({ id, text: 'three' }));
    await cluster.clock.advance('4m');
    const held = await old.host.repository(first.definition).findByCorrelation(id);
    expect(held).toMatchObject({ status: 'running', data: { texts: [] } });
    const next = await node('next', shelf(build));
    await cluster.clock.advance('1m');
    expect(await texts(next)).toEqual(['one', 'two', 'three']);
    expect(await letters(next.host)).toEqual([]);
  });
});
