import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga, type AnySaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('r.began', type<Ref>()) {}
class Done extends message('r.done', type<Ref>()) {}

function behaviour(restartable: boolean) {
  const definition = defineSaga({
    name: 'errand',
    version: 1,
    data: type<Ref & { note: string }>(),
    correlateBy: 'id',
    states: ['open'],
    ends: { done: 'success' },
    events: [Began, Done],
    restartable,
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Began)
      .then(({ event }) => ({ id: event.id, note: '' }))
      .transitionTo('open');
    saga.during('open').when(Done).transitionTo('done');
  });
}

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

const id = 'x';
const ADA = { by: 'ada', reason: 'asked for' };
const start = (messageId: string) => [new Began({ id }), { id: messageId }] as const;

describe.each(storeKinds)('what has ended, on $kind', (kind) => {
  const open = async (restartable = false) => {
    rig = await openRig<AnySaga>(kind, behaviour(restartable));
    return { ...rig, repository: rig.host.repository(behaviour(restartable).definition) };
  };

  it('is not started again, neither while it is there nor by its tombstone', async () => {
    const { play, find, standing, repository, deadLetters } = await open();
    await play(start('m-1'), new Done({ id }), start('m-2'));
    expect(await standing(id)).toBe('done completed');
    const ended = await find(id);
    await repository.delete(ended as never, ADA);
    expect(await standing(id)).toBe('absent');
    await play(start('m-1'), start('m-3'), new Done({ id }));
    expect(await standing(id)).toBe('absent');
    expect(await deadLetters()).toEqual([]);
  });

  it('starts anew where it is declared restartable, for a new message only', async () => {
    const { play, find, standing, repository } = await open(true);
    await play(start('m-1'), new Done({ id }));
    const first = await find(id);
    await play(start('m-1'));
    expect(await standing(id)).toBe('done completed');
    await play(start('m-2'));
    expect(await standing(id)).toBe('open running');
    const second = await find(id);
    expect(second?.id).not.toBe(first?.id);
    expect(await repository.find(first?.id ?? '')).toMatchObject({ state: 'done' });
    await play(new Done({ id }), start('m-1'));
    expect(await standing(id)).toBe('done completed');
    await repository.archive((await find(id)) as never, ADA);
    await play(start('m-2'), start('m-1'));
    expect(await standing(id)).toBe('absent');
    await play(start('m-3'));
    expect(await standing(id)).toBe('open running');
    expect(await repository.archived(second?.id ?? '')).toMatchObject({ id: second?.id, state: 'done' });
  });

  it('is removed only when it has ended, and as it was read', async () => {
    const { play, find, repository } = await open();
    await play(start('m-1'));
    const running = (await find(id)) as never;
    await expect(repository.delete(running, ADA)).rejects.toThrow(/only ended instances are removed/);
    const saved = await repository.save(running, { id, note: 'by hand' }, ADA);
    expect(saved).toMatchObject({ version: 2, data: { note: 'by hand' } });
    await expect(repository.save(running, { id, note: 'late' }, ADA)).rejects.toMatchObject({
      code: 'SAGA_CONFLICT',
    });
    const history = await repository.history(saved.id);
    expect(history.at(-1)).toMatchObject({ kind: 'operator', name: 'save', detail: ADA });
  });
});

/** A store of real servers forgets what it is told to (its conformance suite); a node tells it to when this much time has gone by. */
const inMemory = storeKinds.find(({ kind }) => kind === 'memory') as (typeof storeKinds)[number];

it('an ended instance remembers for 7 days which messages it has seen', async () => {
  rig = await openRig<AnySaga>(inMemory, behaviour(false));
  const { play, history, advance } = rig;
  const late = async () => (await history(id)).filter((line) => line.startsWith('late')).length;
  const again = [new Done({ id }), { id: 'm-9' }] as const;
  await play(start('m-1'), new Done({ id }), again, again);
  expect(await late()).toBe(1);
  await advance('6d');
  await play(again);
  expect(await late()).toBe(1);
  await advance('25h');
  await play(again);
  expect(await late()).toBe(2);
});

it('a removed instance keeps its start messages from starting others for 90 days', async () => {
  rig = await openRig<AnySaga>(inMemory, behaviour(false));
  const { play, find, standing, advance, host } = rig;
  await play(start('m-1'), new Done({ id }));
  await host.repository(behaviour(false).definition).delete((await find(id)) as never, ADA);
  await advance('89d');
  await play(start('m-1'));
  expect(await standing(id)).toBe('absent');
  await advance('2d');
  await play(start('m-1'));
  expect(await standing(id)).toBe('open running');
});
