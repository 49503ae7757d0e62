import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga, type AnySaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('f.began', type<Ref>()) {}
class Moved extends message('f.moved', type<Ref>()) {}
class Done extends message('f.done', type<Ref>()) {}

const job = defineSaga({
  name: 'job',
  version: 1,
  data: type<Ref>(),
  correlateBy: 'id',
  states: ['waiting', 'working'],
  ends: { done: 'success', failed: 'undo' },
  events: [Began, Moved, Done],
  compensations: { clean: type<Ref>() },
});

/** Cleaned up after. */
const cleaned: string[] = [];
/** A saga whose every state has the same time-out. */
const behaviour = buildSaga(job, (saga) => {
  saga
    .initially()
    .when(Began)
    .then((ctx) => {
      ctx.compensateWith('clean', { id: ctx.event.id });
      return { id: ctx.event.id };
    })
    .transitionTo('waiting');
  saga.during('waiting').when(Moved).transitionTo('working');
  saga.duringAny().when(Done).transitionTo('done').after('2h').transitionTo('failed');
  saga.compensate('clean', async ({ id }) => void cleaned.push(id));
});

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  cleaned.splice(0);
  await rig?.close();
  rig = undefined;
});

async function idsOf(found: AsyncIterable<{ readonly data: Readonly<unknown> }>): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { data } of found) ids.push((data as Ref).id);
  return ids;
}

describe.each(storeKinds)('sagas to which nothing happens, on $kind', (kind) => {
  const open = async () => {
    rig = await openRig<AnySaga>(kind, behaviour);
    return { ...rig, jobs: rig.host.repository(job) };
  };

  it('are found by how long, oldest first; neither those that have ended nor other tenants’', async () => {
    const { play, advance, jobs } = await open();
    await play(new Began({ id: 'a' }), new Began({ id: 'b' }), new Began({ id: 'c' }));
    await play(new Done({ id: 'c' }), [new Began({ id: 'd' }), { tenant: 'other' }]);
    await advance('1h');
    await play(new Moved({ id: 'a' }));
    await advance('30m');
    expect(await idsOf(jobs.findStale('90m'))).toEqual(['b']);
    expect(await idsOf(jobs.findStale('30m'))).toEqual(['a', 'b']);
    expect(await idsOf(jobs.findStale('91m'))).toEqual([]);
    expect(await idsOf(jobs.findStale('30m', { tenant: 'other' }))).toEqual(['d']);
  });

  it('are found by their state, however many there are', async () => {
    const { host, clock, play, jobs } = await open();
    const ids = Array.from({ length: 450 }, (_, n) => `j${n}`);
    await Promise.all(ids.map((id) => host.bus.publish(new Began({ id }))));
    await clock.settled();
    await play(new Moved({ id: 'j7' }));
    expect((await idsOf(jobs.findByState('waiting'))).toSorted()).toEqual(
      ids.filter((id) => id !== 'j7').toSorted(),
    );
    expect(await idsOf(jobs.findByState('working'))).toEqual(['j7']);
  });

  it('end in a time-out that holds for every state, and are undone', async () => {
    const { play, advance, standing } = await open();
    await play(new Began({ id: 'a' }), new Began({ id: 'b' }));
    await advance('110m');
    await play(new Moved({ id: 'b' }));
    await advance('20m');
    expect([await standing('a'), await standing('b')]).toEqual(['failed compensated', 'working running']);
    await advance('110m');
    expect(await standing('b')).toBe('failed compensated');
    expect(cleaned).toEqual(['a', 'b']);
  });
});
