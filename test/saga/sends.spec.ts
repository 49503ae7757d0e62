import { message, type, type MessageType } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it } from 'vitest';

class Began extends message('s.began', type<{ id: string }>()) {}
class Charge extends message('s.charge', type<{ id: string }>()) {}
class Ship extends message('s.ship', type<{ id: string }>()) {}

const sending = buildSaga(
  defineSaga({
    name: 'sending',
    version: 1,
    data: type<{ id: string }>(),
    correlateBy: 'id',
    states: ['open'],
    ends: { over: 'success' },
    events: [Began],
    sends: [Charge, Ship],
  }),
  (saga) => {
    saga
      .initially()
      .when(Began)
      .then((ctx) => {
        ctx.send(new Charge({ id: ctx.event.id }));
        return { id: ctx.event.id };
      })
      .transitionTo('open');
    saga.during('open').after('1h').finalize('over');
  },
);

function hostWith(...handled: readonly (readonly [message: MessageType, name: string])[]): OrchestratorHost {
  const host = new OrchestratorHost({ store: memoryStore(), clock: new VirtualClock() });
  host.register(sending);
  for (const [command, name] of handled)
    host.registerHandler({ message: command, name, handle: () => undefined });
  return host;
}

it('a node does not start while a command that a saga sends has no handler, or several', async () => {
  const host = hostWith([Charge, 'a.charge'], [Charge, 'b.charge']);
  await expect(host.start()).rejects.toMatchObject({
    code: 'SAGA_DEFINITION',
    faults: [
      {
        path: 'sends.s.charge',
        message: expect.stringMatching(/2 answer it: handler:a\.charge, handler:b/) as string,
      },
      { path: 'sends.s.ship', message: expect.stringMatching(/^Nobody handles 's\.ship'/) as string },
    ],
  });
});

it('a node starts when each command that a saga sends has one handler', async () => {
  const host = hostWith([Charge, 'charge'], [Ship, 'ship']);
  await expect(host.start()).resolves.toBeUndefined();
  await host.close();
});
