import { defineMachine, durableMachines, type MachineRef, type StepError } from '@nestjs-orchestrator/core';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gate, groupOf, nextRecord, rejection } from './support.js';
import { stage } from './transport/support.js';

const { proxy: gone, revoke } = Proxy.revocable({}, {});
revoke();
const unreadable = (name: string): Error =>
  Object.defineProperty(new Error('x'), name, {
    get: () => {
      throw new Error('not to be read');
    },
  });
/** What can be thrown, and not be told of. */
const things: Readonly<Record<string, unknown>> = {
  'an object without a prototype': Object.create(null),
  'a revoked proxy': gone,
  'a message that throws': unreadable('message'),
  'a code that throws': unreadable('code'),
  'a name that is no text': Object.assign(new Error('x'), { name: Symbol('name') }),
};

const clumsy = defineMachine({
  id: 'clumsy',
  initial: 'idle',
  states: {
    idle: {
      on: {
        ACT: { actions: 'throwIt' },
        REJECT: { actions: 'rejectIt' },
        GUARD: { guard: 'throwIt', target: 'worked' },
        WORK: 'working',
        FINE: { actions: 'answer' },
      },
    },
    working: { invoke: { src: 'work', onError: 'worked' } },
    worked: { on: { BACK: 'idle' } },
  },
});

const throwing = (thing: string) => ({
  actions: {
    throwIt: () => {
      throw things[thing];
    },
    rejectIt: () => Promise.reject(things[thing]),
    answer: (ctx: { reply(value: unknown): void }) => ctx.reply('fine'),
  },
  guards: {
    throwIt: () => {
      throw things[thing];
    },
  },
  activities: { work: () => Promise.reject(things[thing]) },
});

/** The codes of what fails, the answer of what does not, and where the machine is in the end. */
async function whatBecomesOf(ref: MachineRef): Promise<readonly unknown[]> {
  const codes: unknown[] = [];
  for (const type of ['ACT', 'REJECT', 'GUARD']) {
    const { code, cause } = (await rejection(ref.request({ type }))) as StepError;
    codes.push(`${code}: ${typeof (cause as Error).message}`);
  }
  const { reply } = await ref.request({ type: 'FINE' });
  const worked = ref.waitFor('worked');
  await ref.send({ type: 'WORK' });
  return [...codes, reply, (await worked).configuration.toJSON()];
}
const failsAndGoesOn = [...Array<string>(3).fill('STEP_FAILED: string'), 'fine', ['clumsy.worked']];

describe.each(Object.keys(things))('a machine whose functions throw %s', (thing) => {
  it('fails these steps and goes on', async () => {
    const group = groupOf('untellable');
    group.register(clumsy, throwing(thing));
    const ref = await group.spawn(clumsy, { id: 'one' });
    expect(await whatBecomesOf(ref)).toEqual(failsAndGoesOn);
  });

  it('tells another process of it', async () => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    two.group.register(clumsy, throwing(thing));
    one.group.register(clumsy, throwing(thing));
    await two.group.spawn(clumsy, { id: 'one' });
    expect(await whatBecomesOf(one.group.ref(clumsy, 'one'))).toEqual(failsAndGoesOn);
  });

  it('reports it where it comes late', async () => {
    const group = groupOf('untellable');
    const held = gate();
    const work = (): Promise<never> => held.opened.then(() => Promise.reject(things[thing]));
    group.register(clumsy, { ...throwing(thing), activities: { work } });
    const ref = await group.spawn(clumsy, { id: 'one' });
    await ref.send({ type: 'WORK' });
    await group.settled();
    const late = nextRecord(group, 'failure');
    const stopped = ref.stop();
    held.open();
    await stopped;
    expect(await late).toMatchObject({ kind: 'late-activity', error: expect.any(Error) as Error });
  });

  it('goes on where it is durable', async () => {
    const machines = durableMachines({ store: memoryStore(), maxEffectAttempts: 1 });
    const { actions, guards, activities } = throwing(thing);
    machines.register(clumsy, { actions, guards, activities });
    await machines.start();
    onTestFinished(() => machines.close());
    const ref = await machines.spawn(clumsy, { id: 'one' });
    for (const type of ['ACT', 'REJECT'] as const) expect((await ref.request({ type })).changed).toBe(true);
    expect(await rejection(ref.request({ type: 'GUARD' }))).toMatchObject({ code: 'STEP_FAILED' });
    expect(await ref.request({ type: 'FINE' })).toMatchObject({ reply: 'fine' });
  });
});
