import { TransportClosedError } from '@nestjs-orchestrator/core';
import { LastingPlace, type Place } from '@nestjs-orchestrator/core/internal';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { array, assert, asyncProperty, boolean, constantFrom, nat, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gate, rejection } from '../support.js';

const PAUSE_MS = 1_000;
const refusal = new Error('the door is shut');

/** What is ready to go on has gone on, so many steps of it. */
async function steps(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
}

class Room implements Place {
  readonly closed: Promise<void>;
  isOpen = true;
  private tellClosed!: () => void;

  constructor(
    readonly number: number,
    private readonly leaves: () => Promise<void>,
  ) {
    this.closed = new Promise((resolve) => (this.tellClosed = resolve));
  }

  /** Others have taken it. */
  lose(): void {
    this.isOpen = false;
    this.tellClosed();
  }

  async leave(): Promise<void> {
    await this.leaves();
    this.lose();
  }

  work(): Promise<number> {
    return this.isOpen ? Promise.resolve(this.number) : Promise.reject(this.closedError());
  }

  closedError(): Error {
    return new TransportClosedError('house', `room ${this.number}`);
  }
}

/** A house that has one room at a time, and does with it what a test says. */
function house() {
  const clock = new VirtualClock();
  const rooms: Room[] = [];
  const log: string[] = [];
  /** What the next takes, entries and leaves do instead of succeeding; the first one first. */
  const next = { take: [] as Error[], enter: [] as (() => Promise<void>)[] };
  const openRooms = (): number[] => rooms.filter(({ isOpen }) => isOpen).map(({ number }) => number);
  const place = new LastingPlace<Room>({
    clock,
    pauseMs: PAUSE_MS,
    take: () => {
      const error = next.take.shift();
      if (error !== undefined) return Promise.reject(error);
      if (openRooms().length > 0) return Promise.reject(new Error(`room ${openRooms().join()} is taken`));
      const room = new Room(rooms.length + 1, () => Promise.resolve());
      rooms.push(room);
      log.push(`take ${room.number}`);
      return Promise.resolve(room);
    },
    enter: (room, again) => {
      log.push(`enter ${room.number}${again ? ' again' : ''}`);
      return (next.enter.shift() ?? (() => room.work()))();
    },
    found: ({ number }) => log.push(`found ${number}`),
    lost: ({ number }) => log.push(`lost ${number}`),
    failed: (error) => log.push(`failed: ${error instanceof Error ? error.message : String(error)}`),
    closedError: () => new Error('nobody lives here any more'),
  });
  const last = (): Room => rooms.at(-1) as Room;
  const numberHere = (): Promise<number> => place.within((room) => room.work());
  return { clock, rooms, log, next, place, openRooms, last, numberHere };
}

type House = ReturnType<typeof house>;

/** Nobody hinders it any more: it is there, in one room, and each that it had before was told lost. */
async function expectThere({ clock, rooms, log, next, place, openRooms, numberHere }: House) {
  next.take.length = 0;
  next.enter.length = 0;
  await clock.advance(PAUSE_MS);
  await steps(50);
  expect(place.isAway).toBe(false);
  expect(place.hindrance).toBeUndefined();
  expect(openRooms()).toEqual([rooms.length]);
  expect(place.entered?.number).toBe(rooms.length);
  expect(await numberHere()).toBe(rooms.length);
  expect(clock.scheduled).toBe(0);
  expectOrder(log, rooms.length);
}

/** Each room is taken, perhaps found, and told lost before the next one is taken. */
function expectOrder(log: readonly string[], last: number) {
  const told = log.filter((line) => /^(?:take|found|lost) /.test(line));
  for (let number = 1; number <= last; number += 1) {
    const begin = told.indexOf(`take ${number}`);
    const end = number === last ? told.length : told.indexOf(`take ${number + 1}`);
    const middle = told.slice(begin + 1, end);
    if (middle[0] === `found ${number}`) middle.shift();
    expect(middle).toEqual(number === last ? [] : [`lost ${number}`]);
  }
}

/** It was left: it has nothing, waits for nothing, and takes nothing any more. */
async function expectLeft({ clock, rooms, place, openRooms, numberHere }: House) {
  const before = rooms.length;
  expect(openRooms()).toEqual([]);
  expect(clock.scheduled).toBe(0);
  await clock.advance(PAUSE_MS);
  await steps(50);
  expect(rooms).toHaveLength(before);
  expect(place.isAway).toBe(false);
  expect(await rejection(numberHere())).toMatchObject({ message: 'nobody lives here any more' });
}

describe('a place that lasts', () => {
  it('rejects where the first one can not be taken, and can be tried again', async () => {
    const set = house();
    set.next.take.push(refusal);
    expect(await rejection(set.place.begin())).toBe(refusal);
    expect(set.clock.scheduled).toBe(0);
    expect((await set.place.begin()).number).toBe(1);
    await expectThere(set);
  });

  it('rejects where the first one can not be entered, and has left it by then', async () => {
    const set = house();
    set.next.enter.push(() => Promise.reject(refusal));
    expect(await rejection(set.place.begin())).toBe(refusal);
    expect(set.openRooms()).toEqual([]);
    expect(set.place.latest).toBeUndefined();
    await set.place.leave();
    await expectLeft(set);
  });

  it('takes another one where the first one is lost while it is entered', async () => {
    const set = house();
    set.next.enter.push(() => {
      set.last().lose();
      return Promise.reject(set.last().closedError());
    });
    expect((await set.place.begin()).number).toBe(2);
    expect(set.log).toEqual(['take 1', 'enter 1', 'lost 1', 'take 2', 'enter 2 again', 'found 2']);
  });

  it('does not wait for what is done in a room that is lost', async () => {
    const set = house();
    await set.place.begin();
    const never = gate();
    set.next.enter.push(() => never.opened);
    set.last().lose();
    await steps(20);
    expect(set.place.isAway).toBe(true);
    set.last().lose();
    await expectThere(set);
    never.open();
    await expectThere(set);
  });

  it('says why it is away, and rests between two tries', async () => {
    const set = house();
    await set.place.begin();
    set.next.take.push(refusal);
    set.last().lose();
    await steps(20);
    expect(set.place.hindrance).toBe(refusal);
    await set.clock.advance(PAUSE_MS - 1);
    expect(set.rooms).toHaveLength(1);
    await set.clock.advance(1);
    await expectThere(set);
    expect(set.log).toContain('failed: the door is shut');
  });

  it('is used by some from when it is taken, and by others from when it is entered', async () => {
    const set = house();
    await set.place.begin();
    const entering = gate();
    set.next.enter.push(() => entering.opened);
    set.last().lose();
    await steps(20);
    const [taken, entered] = [
      set.place.within((room) => room.work(), 'taken'),
      set.numberHere().then((number) => ({ number, at: set.log.at(-1) })),
    ];
    expect(await taken).toBe(2);
    expect({ present: set.place.present?.number, entered: set.place.entered }).toEqual({
      present: 2,
      entered: undefined,
    });
    entering.open();
    expect(await entered).toEqual({ number: 2, at: 'found 2' });
  });

  it('does again what was begun in a room that is lost meanwhile, and nothing that failed by itself', async () => {
    const set = house();
    await set.place.begin();
    const asked: number[] = [];
    const done = set.place.within(async (room) => {
      asked.push(room.number);
      if (asked.length === 1) room.lose();
      return room.work();
    });
    expect(await done).toBe(2);
    expect(asked).toEqual([1, 2]);
    expect(await rejection(set.place.within(() => Promise.reject(refusal)))).toBe(refusal);
  });

  it('refuses whoever waits when it is left, and whoever comes before it is begun', async () => {
    const set = house();
    expect(await rejection(set.numberHere())).toMatchObject({ message: 'nobody lives here any more' });
    await set.place.begin();
    set.next.take.push(refusal);
    set.last().lose();
    const waits = rejection(set.numberHere());
    await steps(20);
    await set.place.leave();
    expect(await waits).toMatchObject({ message: 'nobody lives here any more' });
    expect(await rejection(set.place.begin())).toMatchObject({ message: 'nobody lives here any more' });
  });

  it('that is ended stays until it is left, and no other one follows', async () => {
    const set = house();
    await set.place.begin();
    expect((await set.place.end())?.number).toBe(1);
    expect(set.openRooms()).toEqual([1]);
    set.last().lose();
    await steps(20);
    expect(set.rooms).toHaveLength(1);
    await set.place.leave();
    await expectLeft(set);
  });
});

const mishap = record({
  what: constantFrom('lose', 'shut', 'refuse', 'close', 'hang', 'let go', 'pause', 'use'),
  after: nat(12),
  twice: boolean(),
});

/** What happens to it on the way, so many steps after what happened before. */
async function befall(
  set: House,
  way: readonly { what: string; after: number; twice: boolean }[],
  used: Promise<unknown>[],
) {
  const letGo: (() => void)[] = [];
  for (const { what, after, twice } of way) {
    await steps(after);
    const { next } = set;
    if (what === 'lose') {
      if (set.rooms.length > 0) set.last().lose();
    } else if (what === 'shut') {
      next.take.push(refusal, ...(twice ? [refusal] : []));
    } else if (what === 'refuse') {
      next.enter.push(() => Promise.reject(refusal));
    } else if (what === 'close') {
      next.enter.push(() => {
        if (twice) set.last().lose();
        return Promise.reject(set.last().closedError());
      });
    } else if (what === 'hang') {
      next.enter.push(
        () => new Promise((resolve, reject) => letGo.push(twice ? resolve : () => reject(refusal))),
      );
    } else if (what === 'let go') {
      letGo.shift()?.();
    } else if (what === 'pause') {
      await set.clock.advance(twice ? PAUSE_MS : 1);
    } else used.push(set.numberHere());
  }
  return () => {
    for (const one of letGo.splice(0)) one();
  };
}

describe('a place that lasts, whatever befalls it', () => {
  it('is there in the end, one room at a time, and does what was asked of it once', async () => {
    await assert(
      asyncProperty(array(mishap, { maxLength: 15 }), async (way) => {
        const set = house();
        await set.place.begin();
        const used: Promise<unknown>[] = [];
        const letGo = await befall(set, way, used);
        set.next.take.length = 0;
        set.next.enter.length = 0;
        await steps(50);
        letGo();
        await steps(50);
        await expectThere(set);
        for (const number of await Promise.all(used)) expect(set.rooms).toHaveProperty([Number(number) - 1]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('can be left at any moment, and has nothing then', async () => {
    await assert(
      asyncProperty(array(mishap, { maxLength: 10 }), nat(12), boolean(), async (way, after, isBegun) => {
        const set = house();
        const begun = set.place.begin().then(
          () => 'begun',
          () => 'refused',
        );
        if (isBegun) await begun;
        const used: Promise<unknown>[] = [];
        const letGo = await befall(set, way, used);
        const outcomes = Promise.allSettled(used);
        await steps(after);
        const left = set.place.leave();
        // A try that is under way is waited for.
        await steps(50);
        letGo();
        await left;
        await begun;
        await outcomes;
        await expectLeft(set);
      }),
      { numRuns: 1_000 },
    );
  });
});
