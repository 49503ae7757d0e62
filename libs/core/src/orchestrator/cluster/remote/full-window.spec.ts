import { defineMachine } from '@nestjs-orchestrator/statechart';
import { expect, it, onTestFinished, vi } from 'vitest';
import { memoryNetwork, memoryTransport } from '../../../memory/index.js';
import { createOrchestrator } from '../../create-orchestrator.js';

const sink = defineMachine({ id: 'sink', initial: 'open', states: { open: { on: { TAKE: {} } } } });

async function groupAt(network: ReturnType<typeof memoryNetwork>, endpoint: string) {
  const group = await createOrchestrator({
    name: 'sinks',
    cluster: 'full',
    endpoint,
    type: 'memory',
    transports: { memory: memoryTransport(network) },
    maxUnaccepted: 1,
  });
  onTestFinished(() => group.release());
  group.register(sink);
  return group;
}

it('trySend to a process that has not accepted what it may be sent says no without writing the event, and refuses what is no event all the same', async () => {
  const network = memoryNetwork();
  const [here, there] = [await groupAt(network, 'here'), await groupAt(network, 'there')];
  await there.spawn(sink, { id: 'one' });
  const ref = here.ref(sink, 'one');
  await ref.send({ type: 'TAKE' });
  expect(ref.trySend({ type: 'TAKE' })).toBe(true);
  const written = vi.spyOn(JSON, 'stringify');
  onTestFinished(() => written.mockRestore());
  const large = { type: 'TAKE', text: 'x'.repeat(100_000) } as never;
  expect(ref.trySend(large)).toBe(false);
  expect(written).not.toHaveBeenCalled();
  expect(() => ref.trySend({ type: 7 } as never)).toThrow(expect.objectContaining({ code: 'EVENT_INVALID' }));
  expect(() => ref.trySend({ type: 'TAKE', at: 1n } as never)).toThrow(
    expect.objectContaining({ code: 'NOT_JSON' }),
  );
});

it('requests that leave at once are not counted as throttled; those that wait are', async () => {
  const network = memoryNetwork();
  const [here, there] = [await groupAt(network, 'here'), await groupAt(network, 'there')];
  await there.spawn(sink, { id: 'one' });
  const ref = here.ref(sink, 'one');
  await ref.send({ type: 'TAKE' });
  const before = here.stats().throttled;
  await ref.request({ type: 'TAKE' });
  await ref.send({ type: 'TAKE' }, { messageId: 'known' });
  expect(here.stats().throttled).toBe(before);
  const first = ref.request({ type: 'TAKE' });
  // One may be under way that is not accepted.
  const second = ref.request({ type: 'TAKE' });
  await Promise.all([first, second]);
  expect(here.stats().throttled).toBe(before + 1);
});
