import { assign, defineMachine, stateValue } from '@nestjs-orchestrator/statechart';
import { assert, asyncProperty, constant, integer, jsonValue, option } from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { memoryNetwork, memoryTransport } from '../../memory/index.js';
import { createOrchestrator } from '../create-orchestrator.js';

const keeper = defineMachine({
  id: 'keeper',
  initial: 'open',
  context: { kept: null },
  states: {
    open: {
      on: { KEEP: { actions: ['answer', assign({ kept: ({ event }) => (event as unknown as Keep).kept })] } },
    },
  },
});

interface Keep {
  readonly type: 'KEEP';
  readonly kept: unknown;
  readonly reply: unknown;
}

async function groupNamed(network: ReturnType<typeof memoryNetwork>, endpoint: string) {
  const group = await createOrchestrator({
    name: 'keepers',
    cluster: 'answers',
    endpoint,
    type: 'memory',
    transports: { memory: memoryTransport(network) },
  });
  onTestFinished(() => group.release());
  group.register(keeper, {
    actions: { answer: (ctx) => ctx.reply((ctx.event as unknown as Keep).reply) },
  });
  return group;
}

/** As JSON has it: there is no -0 in it. */
const anyJson = () =>
  jsonValue()
    .map((value) => JSON.parse(JSON.stringify(value)) as unknown)
    .filter((value) => !/__proto__|toJSON/.test(JSON.stringify(value)));

it('An answer brings the snapshot and the reply, whatever they are and however long', async () => {
  const network = memoryNetwork();
  const [here, there] = [await groupNamed(network, 'here'), await groupNamed(network, 'there')];
  const own = await there.spawn(keeper, { id: 'one' });
  const ref = here.ref(keeper, 'one');
  await assert(
    asyncProperty(
      anyJson(),
      option(anyJson(), { nil: undefined }),
      integer({ min: 0, max: 700 }).chain((length) => constant('é'.repeat(length))),
      async (kept, reply, letters) => {
        const event = { type: 'KEEP', kept: { kept, letters }, reply } as never;
        const { changed, reply: answered, snapshot } = await ref.request(event);
        expect(changed).toBe(true);
        expect(answered).toEqual(reply);
        expect(snapshot.context).toEqual(own.snapshot().context);
        expect(stateValue(keeper, snapshot)).toBe('open');
      },
    ),
    { numRuns: 60 },
  );
});

const listener = defineMachine({
  id: 'listener',
  initial: 'open',
  context: { heard: 0 },
  states: {
    open: {
      on: { TOLD: { actions: assign({ heard: ({ context }) => (context as { heard: number }).heard + 1 }) } },
    },
  },
});
const teller = defineMachine({
  id: 'teller',
  initial: 'open',
  states: { open: { on: { ASK: { actions: ['tell', 'note'] }, NOTE: { actions: 'note' } } } },
});

it('What a step sends arrives with its answer, and no other step runs in the midst of it', async () => {
  const network = memoryNetwork();
  const [here, there] = [await groupNamed(network, 'here'), await groupNamed(network, 'there')];
  here.register(listener);
  const notes: string[] = [];
  there.register(teller, {
    actions: {
      tell: (ctx) => {
        notes.push('begins');
        ctx.send({ group: 'keepers', machine: 'listener' }, { type: 'TOLD' });
        ctx.send('other', { type: 'NOTE' });
        ctx.reply('told');
      },
      note: (ctx) => void notes.push(`${ctx.machine.id} ${ctx.event.type}`),
    },
  });
  const told = await here.spawn(listener, { id: 'listener' });
  await there.spawn(teller, { id: 'teller' });
  await there.spawn(teller, { id: 'other' });
  const ref = here.ref(teller, 'teller');
  // Each side looks the other's machine up once.
  await ref.request({ type: 'ASK' });
  await told.waitFor((snapshot) => (snapshot.context as { heard: number }).heard === 1);
  for (let round = 2; round <= 20; round += 1)
    expect((await ref.request({ type: 'ASK' })).reply).toBe('told');
  await told.waitFor((snapshot) => (snapshot.context as { heard: number }).heard === 20);
  const begun = notes.flatMap((note, at) => (note === 'begins' ? [notes[at + 1]] : []));
  expect(begun).toEqual(Array.from({ length: 20 }, () => 'teller ASK'));
});
