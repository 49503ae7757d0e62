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

const anyJson = () => jsonValue().filter((value) => !/__proto__|toJSON/.test(JSON.stringify(value)));

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
