import {
  assign,
  defineMachine,
  type DurableLetter,
  durableMachines,
  type DurableMachines,
} from '@nestjs-orchestrator/core';
import { redisStore, redisStreams } from '@nestjs-orchestrator/redis';
import { expect, it, onTestFinished } from 'vitest';
import { redisNamespace } from '../support/redis.js';
import { clientOf } from './streams-support.js';

/** Takes no notes while it is locked. */
const till = defineMachine({
  id: 'till',
  initial: 'locked',
  context: { entries: [] },
  states: {
    locked: {
      on: {
        NOTE: {
          actions: assign(() => {
            throw new Error('It is locked.');
          }),
        },
        UNLOCK: 'open',
      },
    },
    open: {
      on: { NOTE: { actions: assign({ entries: ({ event }) => [(event as { entry?: unknown }).entry] }) } },
    },
  },
});

async function lettersOf(machines: DurableMachines): Promise<DurableLetter[]> {
  const found: DurableLetter[] = [];
  for await (const letter of machines.deadLetters()) found.push(letter);
  return found;
}

it('durable machines and their dead letters belong to one tenant: another one has others of the same ids', async () => {
  const { url, prefix } = redisNamespace();
  const redis = clientOf(url);
  const store = redisStore(redis, { prefix });
  await store.start();
  onTestFinished(() => store.close());
  const machinesOf = async (tenant: string): Promise<DurableMachines> => {
    const transport = redisStreams(redis, { prefix, partitions: 4 });
    const machines = durableMachines({ store, transport, tenant, name: `process-${tenant}` });
    onTestFinished(() => machines.close());
    machines.register(till);
    await machines.start();
    return machines;
  };
  const [red, blue] = [await machinesOf('red'), await machinesOf('blue')];
  const names = Array.from({ length: 8 }, (_, n) => `b${n}`);
  for (const id of names) {
    for (const machines of [red, blue]) await machines.spawn(till, { id });
    await red.ref(till, id).request({ type: 'UNLOCK' } as never);
    await red.ref(till, id).request({ type: 'NOTE', entry: 'red' } as never);
    expect((await blue.ref(till, id).snapshot()).context).toEqual({ entries: [] });
    expect((await red.ref(till, id).snapshot()).context).toEqual({ entries: ['red'] });
    await blue.ref(till, id).send({ type: 'NOTE', entry: 'blue' } as never);
    // Behind it, so that it has failed when this is answered.
    await blue.ref(till, id).request({ type: 'PING' } as never);
  }
  // It finishes what is under way.
  await blue.close();
  expect(await lettersOf(red)).toEqual([]);
  const found = await lettersOf(await machinesOf('blue'));
  expect(found.map(({ machine }) => machine).toSorted()).toEqual(names);
  expect(await red.discardLetter(found[0] as DurableLetter, { by: 'ada', reason: 'not mine' })).toBe(false);
});
