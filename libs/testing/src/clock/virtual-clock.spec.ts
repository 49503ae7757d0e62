import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { NotSettledError } from './settling.js';
import { VirtualClock, VirtualClockError } from './virtual-clock.js';

const START = Date.UTC(2030, 0, 1);

/** A promise chain of many links: longer than any fixed number of microtasks that a clock might wait. */
async function longChain(links: number): Promise<void> {
  for (let n = 0; n < links; n += 1) await Promise.resolve();
}

describe('VirtualClock', () => {
  it('stands still until it is moved', async () => {
    const clock = new VirtualClock();
    expect([clock.now(), clock.monotonic(), clock.storeNow()]).toEqual([START, 0, START]);
    await clock.advance('24h');
    expect([clock.now(), clock.monotonic(), clock.storeNow()]).toEqual([
      START + 86_400_000,
      86_400_000,
      START + 86_400_000,
    ]);
    await clock.advanceTo(START + 90_000_000);
    expect(clock.now()).toBe(START + 90_000_000);
  });

  it('begins where it is told', () => {
    expect(new VirtualClock({ startAt: 5 }).now()).toBe(5);
  });

  it('runs what is due in order of time, each at its own instant, and nothing else', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const ran: [string, number][] = [];
    const note = (name: string) => () => void ran.push([name, clock.now()]);
    clock.schedule(300, note('c'));
    clock.schedule(100, note('a'));
    clock.schedule(100, note('b'));
    clock.schedule(301, note('later'));
    await clock.advance(300);
    expect(ran).toEqual([
      ['a', 100],
      ['b', 100],
      ['c', 300],
    ]);
    expect(clock.scheduled).toBe(1);
  });

  it('runs what tasks schedule within the same move', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const ran: number[] = [];
    const tick = (): void => {
      ran.push(clock.now());
      clock.schedule(10, tick);
    };
    tick();
    await clock.advance(35);
    expect(ran).toEqual([0, 10, 20, 30]);
  });

  it('takes a delay below zero for none', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const ran: number[] = [];
    clock.schedule(-5, () => ran.push(clock.now()));
    await clock.settled();
    expect(ran).toEqual([]);
    await clock.advance(0);
    expect(ran).toEqual([0]);
  });

  it('does not run what was cancelled, also by an earlier task of the same instant', async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const first = clock.schedule(1, () => second.cancel());
    const second = clock.schedule(1, () => ran.push('second'));
    clock.schedule(1, () => ran.push('third'));
    await clock.advance(1);
    first.cancel();
    expect(ran).toEqual(['third']);
  });

  it('lets promise chains of any length end before time goes on', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const ran: string[] = [];
    clock.schedule(1, () => void longChain(5_000).then(() => ran.push(`chain at ${clock.now()}`)));
    clock.schedule(2, () => ran.push('next task'));
    await clock.advance(2);
    expect(ran).toEqual(['chain at 1', 'next task']);
  });

  it('waits for tracked I/O, and for what follows from it, before time goes on', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const ran: string[] = [];
    const disk = clock.tracked({ read: () => readFile(import.meta.filename, 'utf8') }, 'disk');
    const work = async (): Promise<void> => {
      await disk.read();
      await longChain(100);
      await clock.track(readFile(import.meta.filename));
      ran.push(`read at ${clock.now()}`);
      clock.schedule(1, () => ran.push(`scheduled after it, at ${clock.now()}`));
    };
    clock.schedule(1, () => void work());
    clock.schedule(5, () => ran.push('next task'));
    await clock.advance(5);
    expect(ran).toEqual(['read at 1', 'scheduled after it, at 2', 'next task']);
  });

  it('goes on when tracked work fails, and leaves the failure to its owner', async () => {
    const clock = new VirtualClock();
    const failure = clock.track(readFile('/does/not/exist')).catch((error: unknown) => String(error));
    await clock.advance(1);
    expect(await failure).toContain('ENOENT');
  });

  it('hands through what a tracked object returns or holds besides promises', async () => {
    const clock = new VirtualClock({ patienceMs: 1 });
    const target = { kind: 'disk', add: (a: number, b: number) => a + b, hang: () => new Promise(() => {}) };
    const disk = clock.tracked(target, 'disk', ['hang']);
    expect([disk.kind, disk.add(1, 2)]).toEqual(['disk', 3]);
    void disk.hang();
    await clock.advance(1);
    expect(clock.monotonic()).toBe(1);
  });

  it('says what it waits for when that does not end', async () => {
    const clock = new VirtualClock({ patienceMs: 1 });
    const store = clock.tracked({ load: () => new Promise<void>(() => {}) }, 'store');
    void store.load();
    const error = await clock.advance(1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NotSettledError);
    expect(String(error)).toContain('store.load');
  });

  it('asks the runtime whether it is idle, until it is told not to', async () => {
    const clock = new VirtualClock();
    let asked = 0;
    const stop = clock.whenIdle('relay', async () => {
      asked += 1;
      if (asked === 1) void clock.track(longChain(3));
    });
    await clock.settled();
    // Work that began while the hook was awaited makes another pass necessary.
    expect(asked).toBe(2);
    stop();
    await clock.settled();
    expect(asked).toBe(2);
  });

  it('runs everything that is scheduled', async () => {
    const clock = new VirtualClock({ startAt: 0 });
    const ran: number[] = [];
    clock.schedule(1_000, () => {
      ran.push(clock.now());
      clock.schedule(2_000, () => ran.push(clock.now()));
    });
    await clock.runAll();
    expect([ran, clock.now(), clock.scheduled]).toEqual([[1_000, 3_000], 3_000, 0]);
  });

  it('gives up on a loop without end', async () => {
    const clock = new VirtualClock();
    const poll = (): void => void clock.schedule(1_000, poll);
    poll();
    await expect(clock.runAll({ most: 50 })).rejects.toBeInstanceOf(VirtualClockError);
    expect(clock.monotonic()).toBe(50_000);
  });

  it('does not take as many tasks as allowed for a loop', async () => {
    const clock = new VirtualClock();
    for (const delay of [1, 2, 3]) clock.schedule(delay, () => {});
    await clock.runAll({ most: 3 });
    expect(clock.monotonic()).toBe(3);
  });

  it('does not go back, nor move twice at once', async () => {
    const clock = new VirtualClock();
    await expect(clock.advanceTo(START - 1)).rejects.toBeInstanceOf(VirtualClockError);
    await expect(clock.advanceTo(Number.NaN)).rejects.toBeInstanceOf(VirtualClockError);
    const first = clock.advance(1);
    await expect(clock.advance(1)).rejects.toBeInstanceOf(VirtualClockError);
    await first;
    expect(clock.monotonic()).toBe(1);
  });

  it('hands out what a task throws, and can be moved again', async () => {
    const clock = new VirtualClock();
    clock.schedule(1, () => {
      throw new Error('from the task');
    });
    await expect(clock.advance(5)).rejects.toThrow('from the task');
    await clock.advance(5);
    expect(clock.monotonic()).toBe(6);
  });
});
