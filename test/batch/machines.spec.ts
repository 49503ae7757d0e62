import { BatchService } from '@nestjs-orchestrator/core';
import { defineMachine } from '@nestjs-orchestrator/statechart';
import { countedIds } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { gate, timedGroup } from '../orchestrator/support.js';

const door = defineMachine({
  id: 'door',
  initial: 'shut',
  states: { shut: { on: { OPEN: 'open' } }, open: { on: { SHUT: { target: 'shut', actions: 'lock' } } } },
});
const lamp = defineMachine({ id: 'lamp', initial: 'open', states: { open: { on: { SHUT: {} } } } });

async function stage() {
  const { group, clock } = timedGroup('doors', { requestTimeoutMs: 1_000 });
  const held = gate();
  const stuck = new Set<string>();
  const broken = new Set<string>();
  const doors = group.register(door, {
    actions: {
      lock: ({ machine: { id } }) => {
        if (broken.has(id)) throw new Error(`${id} has no key`);
        return stuck.has(id) ? held.opened : undefined;
      },
    },
  });
  const refs = await Promise.all(['d1', 'd2', 'd3', 'd4', 'd5'].map((id) => doors.spawn({ id })));
  await group.register(lamp).spawn({ id: 'l1' });
  for (const ref of refs.slice(0, 4)) await ref.request({ type: 'OPEN' });
  const service = new BatchService({ orchestrator: group, clock, ids: countedIds('c') });
  const states = () => refs.map((ref) => ref.snapshot().configuration.toJSON()[0]);
  return { clock, service, refs, held, stuck, broken, states };
}

describe('a batch on the machines of a group', () => {
  it('takes those of a definition that are in a state, and leaves others alone', async () => {
    const { service, states } = await stage();
    const { results, ...totals } = await service.fireMachines(
      { machine: door, state: 'open' },
      { type: 'SHUT' },
    ).result;
    expect(totals).toMatchObject({ total: 4, succeeded: 4, failed: 0, endedBy: 'done' });
    expect(results[0]).toMatchObject({ status: 'succeeded', value: { changed: true }, correlationId: 'c-1' });
    expect(states()).toEqual(Array(5).fill('door.shut'));
  });

  it('takes all machines where nothing else is said, each with an event of its own, or none', async () => {
    const { service, states } = await stage();
    const { total, succeeded } = await service.fireMachines({}, ({ id }) =>
      id === 'd2' ? undefined : { type: id === 'd5' ? 'OPEN' : 'SHUT' },
    ).result;
    expect({ total, succeeded }).toEqual({ total: 5, succeeded: 5 });
    expect(states()).toEqual(['door.shut', 'door.open', 'door.shut', 'door.shut', 'door.open']);
  });

  it('passes over what has left the state when its turn comes', async () => {
    const { service, refs, states } = await stage();
    const batch = service.fireMachines(
      { machine: door, state: 'open' },
      ({ id }) => {
        // The first one takes the third along.
        if (id === 'd1') refs[2]?.trySend({ type: 'SHUT' });
        return { type: 'SHUT' };
      },
      { maxParallelism: 1 },
    );
    const { total, results } = await batch.result;
    expect(total).toBe(3);
    expect(results.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(states()).toEqual(Array(5).fill('door.shut'));
  });

  it('tells apart what failed, what timed out and what was not begun, as it goes', async () => {
    const { service, clock, held, stuck, broken } = await stage();
    broken.add('d1');
    stuck.add('d2');
    const batch = service.fireMachines(
      { machine: door, state: 'open' },
      { type: 'SHUT' },
      { maxParallelism: 1, timeout: 1_500 },
    );
    const seen: string[] = [];
    const following = (async () => {
      for await (const { item, total } of batch.progress()) seen.push(`${total} ${item.status}`);
    })();
    await clock.advance(1_000);
    stuck.add('d3');
    await clock.advance(500);
    const { results, ...totals } = await batch.result;
    await following;
    expect(seen.slice(0, 2)).toEqual(['1 failed', '2 timed-out']);
    expect(totals).toMatchObject({ failed: 1, endedBy: 'done', succeeded: 2, timedOut: 1 });
    expect(results.map(({ status }) => status)).toEqual(['failed', 'timed-out', 'succeeded', 'succeeded']);
    expect(results[0]).toMatchObject({ error: { code: 'STEP_FAILED' } });
    expect(results[1]).toMatchObject({ error: { code: 'REQUEST_TIMEOUT' } });
    held.open();
  });

  it('is refused where nobody has machines', () => {
    expect(() => new BatchService({}).fireMachines({}, { type: 'SHUT' })).toThrow(
      expect.objectContaining({ code: 'BATCH_TARGET', missing: 'orchestrator' }),
    );
  });
});
