import { defineMachine, durableMachines, type DurableMachines } from '@nestjs-orchestrator/core';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { countedIds, VirtualClock } from '@nestjs-orchestrator/testing';
import { array, assert, asyncProperty, constantFrom } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartitionsByHand } from './partitions-by-hand.js';

const lamp = defineMachine({ id: 'lamp', initial: 'off', states: { off: { on: { PRESS: 'on' } }, on: {} } });
const PAUSE_MS = 1_000;

/** What is ready to go on has gone on. */
async function settled(): Promise<void> {
  for (let n = 0; n < 50; n += 1) await Promise.resolve();
}

/** A node with durable machines that is about to serve, its transport in the hand of the test. */
async function beginning() {
  const transport = new PartitionsByHand();
  const clock = new VirtualClock();
  const machines = durableMachines({
    store: memoryStore(),
    transport,
    name: 'node',
    clock,
    ids: countedIds('m'),
    giveBackMs: PAUSE_MS,
  });
  machines.register(lamp);
  const started = machines.start();
  await settled();
  return { transport, clock, machines, started };
}

/** One that serves already. */
async function nodeOf() {
  const { started, ...node } = await beginning();
  node.transport.seat(1).letServe();
  await started;
  return node;
}

const press = (machines: DurableMachines): Promise<void> =>
  machines.ref(lamp, 'lamp-1').send({ type: 'PRESS' });

describe('a node of durable machines that others have declared dead', () => {
  it('is there again, also where it is declared dead once more while it begins to serve', async () => {
    const { transport, machines } = await nodeOf();
    transport.seat(1).die();
    await settled();
    transport.seat(2).die();
    const sent = press(machines);
    transport.seat(2).letServe();
    await settled();
    expect(machines.isAway).toBe(true);
    transport.seat(3).letServe();
    await settled();
    await sent;
    expect(transport.seat(3).published).toEqual(['default/lamp-1']);
    expect(machines.isAway).toBe(false);
    expect({ places: transport.seats.length, taken: transport.taken }).toEqual({ places: 3, taken: 0 });
  });

  it('sends from when it has a place: machines that it wakes before it serves may ask each other', async () => {
    const { transport, machines } = await nodeOf();
    transport.seat(1).die();
    const sent = press(machines);
    await settled();
    expect(machines.isAway).toBe(true);
    await sent;
    expect(transport.seat(2).published).toEqual(['default/lamp-1']);
    transport.seat(2).letServe();
    await settled();
    expect(machines.isAway).toBe(false);
    await machines.close();
  });

  it('leaves a place that it could not use, and takes another one after a pause', async () => {
    const { transport, machines, clock } = await nodeOf();
    transport.seat(1).die();
    await settled();
    transport.seat(2).refuseToServe(new Error('the server is away'));
    await settled();
    expect(transport.seat(2).isOpen).toBe(false);
    await clock.advance(PAUSE_MS);
    await settled();
    transport.seat(3).letServe();
    await press(machines);
    expect({ places: transport.seats.length, taken: transport.taken }).toEqual({ places: 3, taken: 0 });
  });

  it('can be closed while it rests between two tries', async () => {
    const { transport, machines } = await nodeOf();
    transport.refusals = Infinity;
    transport.seat(1).die();
    await settled();
    expect(machines.isAway).toBe(true);
    await machines.close();
    await expect(press(machines)).rejects.toMatchObject({ code: 'GROUP_RELEASED' });
  });

  it('can be closed while it begins to serve, and leaves what it has found by then', async () => {
    const { transport, machines } = await nodeOf();
    transport.seat(1).die();
    await settled();
    const closed = machines.close();
    await settled();
    transport.seat(2).letServe();
    await closed;
    expect(transport.seat(2).isOpen).toBe(false);
    expect(transport.seats).toHaveLength(2);
  });

  it('comes back in the end, with one place at a time, whatever hinders it on the way', async () => {
    const steps = constantFrom('die', 'serve', 'refuse', 'closed', 'shut', 'pause', 'send', 'die and serve');
    await assert(
      asyncProperty(array(steps, { maxLength: 25 }), async (way) => {
        const { transport, machines, clock } = await nodeOf();
        const sent: Promise<void>[] = [];
        for (const step of way) {
          const seat = transport.seat(transport.seats.length);
          if (step === 'die') seat.die();
          else if (step === 'serve') seat.letServe();
          else if (step === 'refuse') seat.refuseToServe(new Error('the server is away'));
          else if (step === 'closed') {
            seat.die();
            seat.refuseToServe();
          } else if (step === 'shut') transport.refusals = 1;
          else if (step === 'pause') await clock.advance(PAUSE_MS);
          else if (step === 'send') sent.push(press(machines));
          else {
            seat.letServe();
            seat.die();
          }
          if (step !== 'die and serve') await settled();
        }
        // Nobody hinders it any more.
        transport.refusals = 0;
        await settled();
        await clock.advance(PAUSE_MS);
        await settled();
        transport.seat(transport.seats.length).letServe();
        await settled();
        const { last, seats, taken } = transport;
        expect({ isAway: machines.isAway, isServing: last?.isServing, taken }).toEqual({
          isAway: false,
          isServing: true,
          taken: 0,
        });
        await Promise.all([...sent, press(machines)]);
        expect(seats.flatMap(({ published }) => published)).toHaveLength(sent.length + 1);
        await machines.close();
      }),
    );
  });
});

describe('a node of durable machines that can not begin', () => {
  it('says why, and leaves nothing behind', async () => {
    const { transport, started } = await beginning();
    transport.seat(1).refuseToServe(new Error('the server is away'));
    await expect(started).rejects.toThrow('the server is away');
    expect(transport.seat(1).isOpen).toBe(false);
    expect(transport.seats).toHaveLength(1);
  });

  it('begins as another incarnation where it is declared dead meanwhile', async () => {
    const { transport, machines, started } = await beginning();
    transport.seat(1).die();
    await settled();
    transport.seat(1).letServe();
    await settled();
    transport.seat(2).letServe();
    await started;
    await press(machines);
    expect(transport.seat(2).published).toHaveLength(1);
  });
});
