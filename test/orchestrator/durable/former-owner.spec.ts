import { defineMachine, durableMachines, matches, StoreUnavailableError } from '@nestjs-orchestrator/core';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { countedIds, VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it } from 'vitest';
import { gate } from '../support.js';
import { PartitionsByHand } from './partitions-by-hand.js';

const LATE_MS = 60_000;
const lamp = defineMachine({
  id: 'lamp',
  initial: 'off',
  states: { off: { on: { PRESS: 'on' } }, on: { after: { [LATE_MS]: 'burnt' } }, burnt: {} },
});

/** A store in memory of which a commit fails, or a look-up takes long, when the test says so. */
function troubledStore() {
  const inner = memoryStore();
  const trouble = { failsCommit: false, slowLoad: undefined as Promise<void> | undefined };
  const load: InstanceStore['load'] = async (...args) => {
    const slow = trouble.slowLoad;
    trouble.slowLoad = undefined;
    const found = await inner.load(...args);
    await slow;
    return found;
  };
  const commit: InstanceStore['commit'] = async (...args) => {
    if (!trouble.failsCommit) return inner.commit(...args);
    trouble.failsCommit = false;
    throw new StoreUnavailableError('away');
  };
  const store = new Proxy(inner, {
    get: (target, name: keyof InstanceStore): unknown => {
      if (name === 'load') return load;
      if (name === 'commit') return commit;
      const value: unknown = target[name];
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { store, trouble };
}

/** What is ready to go on has gone on. */
async function settled(): Promise<void> {
  for (let n = 0; n < 50; n += 1) await Promise.resolve();
}

it('a machine that its process has under a new epoch keeps its timers, though a look-up under the former one ends late', async () => {
  const { store, trouble } = troubledStore();
  const transport = new PartitionsByHand();
  const clock = new VirtualClock();
  const machines = durableMachines({ store, transport, name: 'node', clock, ids: countedIds('m') });
  machines.register(lamp);
  const started = machines.start();
  await settled();
  const seat = transport.seat(1);
  seat.letServe();
  await started;
  const { receiver } = seat;
  if (receiver === undefined) throw new Error('It does not serve.');
  const [former, present] = [
    { partition: 0, epoch: 1 },
    { partition: 0, epoch: 2 },
  ];
  const deliver = async () => {
    const frame = seat.frames.at(-1);
    if (frame === undefined) throw new Error('Nothing was published.');
    return receiver.onFrame(former, frame);
  };
  await receiver.onGained(former);
  const spawned = machines.spawn(lamp, { id: 'lamp-1' });
  await settled();
  await deliver();
  const ref = await spawned;
  await ref.send({ type: 'PRESS' });
  await deliver();
  await ref.send({ type: 'PRESS' });
  // It is put to sleep by a store that is away, and looked up when the event comes again.
  trouble.failsCommit = true;
  expect(await deliver()).toEqual({ retryInMs: expect.any(Number) as number });
  const slow = gate();
  trouble.slowLoad = slow.opened;
  const again = deliver();
  // The lease ends meanwhile, and the process has the partition anew.
  await receiver.onLost(former, 'fenced');
  await receiver.onGained(present);
  expect(machines.atWork()).toEqual(['lamp-1']);
  slow.open();
  expect(await again).toEqual({ retryInMs: expect.any(Number) as number });
  await clock.advance(LATE_MS);
  await settled();
  expect(matches(await ref.snapshot(), 'burnt')).toBe(true);
  await machines.close();
});
