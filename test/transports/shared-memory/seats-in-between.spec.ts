import { PeerLostError } from '@nestjs-orchestrator/core';
import { describe, expect, it } from 'vitest';
import { BEAT_MS, broken, interrupted, type Sitting, Table } from './table.js';

/** Enough for every access of one turn. */
const MOST_ACCESSES = 500;

/** Runs a story once for each access that its turning point makes; it says whether there was an nth one. How many there were. */
async function forEachAccess(story: (nth: number) => Promise<boolean>): Promise<number> {
  for (let nth = 1; nth <= MOST_ACCESSES; nth += 1) if (!(await story(nth))) return nth - 1;
  throw new Error('There is no end of it.');
}

async function two(): Promise<{ table: Table; a: Sitting; b: Sitting }> {
  const table = new Table();
  const [a, b] = [table.sit('a'), table.sit('b')];
  await table.settle();
  expect([a.told, b.told]).toEqual([['b up'], ['a up']]);
  for (const { told } of [a, b]) told.length = 0;
  return { table, a, b };
}

/** Fills the lane. */
function fill(from: Sitting, to: Sitting): string[] {
  const texts: string[] = [];
  for (let n = 0; from.trySend(to, `full ${n}`); n += 1) texts.push(`full ${n}`);
  return texts;
}

const of = (from: string, texts: readonly string[]): string[] => texts.map((text) => `${from}: ${text}`);

describe('seats of one memory', () => {
  it('read what is sent at any moment of a turn, without any sign of life', async () => {
    for (const first of [[], ['first']]) {
      const accesses = await forEachAccess(async (nth) => {
        const { table, a, b } = await two();
        for (const text of first) a.trySend(b, text);
        b.stir();
        const there = interrupted(
          nth,
          () => b.goOn(),
          () => a.trySend(b, 'between'),
        );
        if (!there) return false;
        await table.settle();
        expect([nth, b.told]).toEqual([nth, of('a', [...first, 'between'])]);
        return true;
      });
      expect(accesses).toBeGreaterThan(5);
    }
  });

  it('serve who waits for room, whenever the receiver reads', async () => {
    const accesses = await forEachAccess(async (nth) => {
      const { table, a, b } = await two();
      const texts = fill(a, b);
      let sent: Promise<void> | undefined;
      const there = interrupted(
        nth,
        () => {
          sent = a.send(b, 'late');
        },
        () => b.goOn(),
      );
      if (!there) return false;
      await table.settle();
      expect([nth, b.told]).toEqual([nth, of('a', [...texts, 'late'])]);
      await sent;
      return true;
    });
    expect(accesses).toBeGreaterThan(2);
  });

  it('serve who comes to wait for room while the receiver reads', async () => {
    const accesses = await forEachAccess(async (nth) => {
      const { table, a, b } = await two();
      const texts = fill(a, b);
      let sent: Promise<void> | undefined;
      const there = interrupted(
        nth,
        () => b.goOn(),
        () => {
          sent = a.send(b, 'late');
        },
      );
      if (!there) return false;
      await table.settle();
      expect([nth, b.told]).toEqual([nth, of('a', [...texts, 'late'])]);
      await sent;
      return true;
    });
    expect(accesses).toBeGreaterThan(5);
  });

  it('meet whoever comes in the middle of a turn', async () => {
    const accesses = await forEachAccess(async (nth) => {
      const { table, a, b } = await two();
      b.stir();
      let c: Sitting | undefined;
      const there = interrupted(
        nth,
        () => b.goOn(),
        () => (c = table.sit('c')),
      );
      if (!there) return false;
      await table.settle();
      c?.trySend(b, 'hello');
      a.trySend(b, 'still here');
      await table.settle();
      expect([nth, b.told.toSorted()]).toEqual([nth, ['a: still here', 'c up', 'c: hello']]);
      return true;
    });
    expect(accesses).toBeGreaterThan(5);
  });

  it('read a beginning, whole and in order, of one that dies at any moment, and then whoever takes its place', async () => {
    const accesses = await forEachAccess(async (nth) => {
      const { table, a, b } = await two();
      const texts = ['1', '2', '3'];
      const there = broken(nth, () => {
        for (const text of texts) a.trySend(b, text);
      });
      if (!there) return false;
      table.tellDeath(a);
      await table.settle();
      const came = b.told.length - 1;
      expect([nth, b.told]).toEqual([nth, [...of('a', texts.slice(0, came)), 'a lost']]);
      const heir = table.sit('heir');
      await table.settle();
      heir.trySend(b, 'mine');
      await table.settle();
      expect([nth, b.told.slice(came + 1)]).toEqual([nth, ['heir up', 'heir: mine']]);
      expect(heir.told).toEqual(['b up']);
      return true;
    });
    expect(accesses).toBeGreaterThan(5);
  });

  it('refuse what waits for one that dies at any moment of its reading; nothing of it comes to whoever takes its place', async () => {
    const accesses = await forEachAccess(async (nth) => {
      const { table, a, b } = await two();
      const texts = fill(a, b);
      const sent = a.send(b, 'late').catch((error: unknown) => error);
      const there = broken(nth, () => b.goOn());
      if (!there) return false;
      table.tellDeath(b);
      await table.settle();
      const outcome = await sent;
      expect(outcome === undefined || outcome instanceof PeerLostError).toBe(true);
      expect([nth, b.told]).toEqual([nth, of('a', [...texts, 'late']).slice(0, b.told.length)]);
      expect(a.told).toEqual(['b lost']);
      const heir = table.sit('heir');
      await table.settle();
      a.trySend(heir, 'for the heir');
      await table.settle();
      expect([nth, heir.told]).toEqual([nth, ['a up', 'a: for the heir']]);
      return true;
    });
    expect(accesses).toBeGreaterThan(5);
  });

  it('take a slot from the generation that died only, also where they hear of it late', async () => {
    const { table, a, b } = await two();
    const c = table.sit('c');
    // It dies before it has met c, which thus has nothing to read of it: nothing keeps its slot.
    await table.settle(a, c);
    table.dead.add(b.key);
    const [tellA, tellC] = table.watches.get(b.key) ?? [];
    tellA?.();
    await table.settle(a);
    expect([a.told, c.told]).toEqual([
      ['c up', 'b lost'],
      ['a up', 'b up'],
    ]);
    const heir = table.sit('heir');
    expect(heir.key.split('-')[0]).toBe(b.key.split('-')[0]);
    // Before it has had a turn in which it could have met the heir.
    tellC?.();
    await table.settle();
    expect(table.segment.live().map(({ name }) => name)).toEqual(['a', 'heir', 'c']);
    for (const from of [a, c]) from.trySend(heir, 'hello');
    await table.settle();
    expect(heir.told.toSorted()).toEqual(['a up', 'a: hello', 'c up', 'c: hello']);
  });

  it('free the names of one that died, also where who removes it is killed at any moment', async () => {
    const accesses = await forEachAccess(async (nth) => {
      const { table, a, b } = await two();
      for (const name of ['first', 'second']) await b.seat.claim(name, '');
      expect((await a.seat.names()).map(({ name }) => name)).toEqual(['first', 'second']);
      for (const one of [a, b]) table.dead.add(one.key);
      const there = broken(nth, () => table.segment.bury(b.place.slot, b.place.generation));
      if (!there) return false;
      const c = table.sit('c');
      for (const name of ['third', 'fourth']) await c.seat.claim(name, '');
      expect([nth, (await c.seat.names()).map(({ name }) => name).toSorted()]).toEqual([
        nth,
        ['fourth', 'third'],
      ]);
      return true;
    });
    expect(accesses).toBeGreaterThan(5);
  });

  it('enter names under the lock', async () => {
    const { table, a } = await two();
    const unlock = table.lock();
    const claimed = a.seat.claim('machine', '');
    await table.settle();
    expect(await a.seat.locate('machine')).toBeUndefined();
    unlock();
    await claimed;
    expect(await a.seat.locate('machine')).toMatchObject({ endpoint: a.self });
  });

  it('give nothing to one that gives no sign of life, and wait for it', async () => {
    const { table, a, b } = await two();
    for (let each = 0; each < 3; each += 1) a.beat(BEAT_MS);
    await table.settle();
    expect(a.told).toEqual(['b suspect']);
    expect(a.trySend(b, 'pushed back')).toBe(false);
    const sent = a.send(b, 'waiting');
    await table.settle();
    expect([b.told, a.seat.statistics().waiting]).toEqual([[], 1]);
    b.beat(BEAT_MS);
    a.beat(BEAT_MS);
    await table.settle();
    await sent;
    expect([a.told, b.told]).toEqual([['b suspect', 'b up'], ['a: waiting']]);
  });

  it('count nothing against others that was missed while they stood still themselves', async () => {
    const { table, a } = await two();
    for (const pause of [BEAT_MS, BEAT_MS, 10 * BEAT_MS, BEAT_MS]) a.beat(pause);
    await table.settle();
    expect(a.told).toEqual([]);
    a.beat(BEAT_MS);
    await table.settle();
    expect(a.told).toEqual(['b suspect']);
  });
});
