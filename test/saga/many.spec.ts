import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga, keyed, type AnySaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

class Joined extends message('m.joined', type<{ member: string; club: string }>()) {}
class Closed extends message('m.closed', type<{ club: string }>()) {}

const member = defineSaga({
  name: 'member',
  version: 1,
  data: type<{ closings: number }>(),
  correlateBy: 'member',
  keys: { club: 'many' },
  states: ['joined'],
  ends: { left: 'success' },
  events: [Joined, keyed(Closed, ({ club }) => club, { key: 'club' })],
});

const behaviour = buildSaga(member, (saga) => {
  saga
    .initially()
    .when(Joined)
    .then((ctx) => {
      ctx.correlateWith('club', ctx.event.club);
      return { closings: 0 };
    })
    .transitionTo('joined');
  saga
    .during('joined')
    .when(Closed)
    .then((ctx) => void (ctx.data.closings += 1))
    .transitionTo('left');
});

const MEMBERS = 2_000;

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

describe.each(storeKinds)('a message for thousands of instances, on $kind', (kind) => {
  it('reaches each of them once', async () => {
    const { host, clock, deadLetters } = (rig = await openRig(kind, behaviour));
    for (let n = 0; n < MEMBERS; n += 500) {
      const joining = Array.from({ length: 500 }, (_, i) =>
        host.bus.publish(new Joined({ member: `m${n + i}`, club: n + i === 7 ? 'other' : 'chess' })),
      );
      await Promise.all(joining);
      await clock.settled();
    }
    await host.bus.publish(new Closed({ club: 'chess' }), { id: 'closed' });
    await host.bus.publish(new Closed({ club: 'chess' }), { id: 'closed' });
    await clock.settled();
    const closings: number[] = [];
    for await (const { data } of host.repository(member).findByState('left')) closings.push(data.closings);
    expect(closings).toHaveLength(MEMBERS - 1);
    expect(new Set(closings)).toEqual(new Set([1]));
    expect((await rig.find('m7'))?.state).toBe('joined');
    expect(await deadLetters()).toEqual([]);
  });
});
