import { describe, expect, it } from 'vitest';
import { Box, send, Stage } from './pool-stage.js';

describe('the pool', () => {
  it('doubles from 16 to 512 under a load that does not end, and shrinks by halves when it has', () => {
    const stage = new Stage();
    const pool = stage.pool({ channelBudget: 4 });
    const boxes = Array.from({ length: 2_000 }, () => new Box(pool));
    const sizes = new Set<number>();
    for (let round = 0; round < 8; round += 1) {
      for (const [at, box] of boxes.entries()) send(pool, box, at);
      sizes.add(pool.statistics().channels);
      stage.turn();
    }
    expect([...sizes]).toEqual([32, 64, 128, 256, 512]);
    expect(pool.statistics()).toMatchObject({ growths: 5, shrinks: 0 });
    stage.advance(1_000);
    for (let looks = 0; looks < 5; looks += 1) {
      sizes.clear();
      stage.advance(1_000);
    }
    expect(pool.statistics()).toMatchObject({ channels: 16, growths: 5, shrinks: 5 });
    expect(stage.timers).toEqual([]);
    expect(boxes.every(({ handled }) => handled.length === 8)).toBe(true);
  });

  it('does not shrink while more than a quarter of its budgets is used', () => {
    const stage = new Stage();
    const pool = stage.pool({ poolSize: 2, maxPoolSize: 4, channelBudget: 10 });
    const boxes = Array.from({ length: 40 }, () => new Box(pool));
    for (const box of boxes) send(pool, box, 0);
    stage.turn();
    expect(pool.statistics().channels).toBe(4);
    for (let second = 0; second < 5; second += 1) {
      for (const box of boxes.slice(0, 10)) send(pool, box, 1);
      stage.turn();
      stage.advance(1_000);
    }
    expect(pool.statistics().channels).toBe(4);
    for (const box of boxes.slice(0, 9)) send(pool, box, 2);
    stage.turn();
    stage.advance(1_000);
    expect(pool.statistics().channels).toBe(2);
  });

  it.each([
    ['allowGrowth', { allowGrowth: false, poolSize: 2 }, 2],
    ['maxPoolSize', { poolSize: 2, maxPoolSize: 3 }, 3],
    ['growthFactor', { poolSize: 2, growthFactor: 5 }, 10],
  ])('heeds %s', (_, options, channels) => {
    const stage = new Stage();
    const pool = stage.pool({ channelBudget: 1, ...options });
    for (let at = 0; at < 100; at += 1) send(pool, new Box(pool), at);
    expect(pool.statistics().channels).toBe(channels);
  });

  it('lets waiting senders in as they came, over all mailboxes of a channel', () => {
    const stage = new Stage();
    const pool = stage.pool({ poolSize: 1, maxPoolSize: 1, channelBudget: 2, mailboxSlice: 1 });
    const log: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new Box(pool, log, name)) as [Box, Box, Box];
    const senders = [a, b, c, a, c, b, a].map((box, n) => send(pool, box, n));
    expect(senders.map(({ state }) => state)).toEqual([
      'accepted',
      'accepted',
      'waits',
      'waits',
      'waits',
      'waits',
      'waits',
    ]);
    expect(pool.offer(c, { n: 99 }, undefined)).toBe(false);
    const entered: number[] = [];
    for (const sender of senders) sender.accepted = () => void entered.push(sender.event.n);
    stage.turn();
    expect(entered).toEqual([2, 3, 4, 5, 6]);
    expect(log).toEqual(['a0', 'b1', 'c2', 'a3', 'c4', 'b5', 'a6']);
    expect(pool.offer(c, { n: 99 }, undefined)).toBe(true);
  });

  it('takes no room of a channel for a machine that hangs, and bounds what waits for it', () => {
    const stage = new Stage();
    const pool = stage.pool({ poolSize: 1, maxPoolSize: 1, channelBudget: 4, mailboxBudget: 3 });
    const hanging = new Box(pool);
    const other = new Box(pool);
    hanging.does = () => false;
    send(pool, hanging, 0);
    stage.turn();
    const senders = [1, 2, 3, 4].map((n) => send(pool, hanging, n));
    expect(senders.map(({ state }) => state)).toEqual(['accepted', 'accepted', 'accepted', 'waits']);
    expect([0, 1, 2].map((n) => send(pool, other, n).state)).toEqual(['accepted', 'accepted', 'accepted']);
    stage.turn();
    expect(other.handled).toEqual([0, 1, 2]);
    hanging.does = () => true;
    pool.resume(hanging);
    stage.turn();
    expect(hanging.handled).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives every ready mailbox its turn beside one that is flooded', () => {
    const stage = new Stage();
    const pool = stage.pool({ poolSize: 2, mailboxSlice: 4 });
    const log: string[] = [];
    const [flooded, alsoFlooded, calm] = ['f', 'g', 'c'].map((name) => new Box(pool, log, name)) as [
      Box,
      Box,
      Box,
    ];
    for (let n = 0; n < 100; n += 1) {
      pool.deliver(flooded, { n }, undefined);
      pool.deliver(alsoFlooded, { n }, undefined);
    }
    pool.deliver(calm, { n: 0 }, undefined);
    stage.turn();
    expect(log.indexOf('c0')).toBeLessThanOrEqual(2 * 2 * 4);
    expect(log).toHaveLength(201);
  });

  it('lets the event loop go on when its slice is over, and goes on in the next turn', () => {
    const stage = new Stage();
    const pool = stage.pool({ sliceMs: 4 });
    const boxes = Array.from({ length: 10 }, () => new Box(pool));
    for (const box of boxes) {
      box.does = () => {
        stage.time += 1;
        return true;
      };
      pool.deliver(box, { n: 0 }, undefined);
    }
    const done = (): number => boxes.reduce((sum, { handled }) => sum + handled.length, 0);
    stage.settle();
    const first = done();
    expect(first).toBeLessThanOrEqual(6);
    expect(stage.turns).toHaveLength(1);
    stage.settle();
    expect(done()).toBe(first);
    stage.turn();
    stage.turn();
    expect(done()).toBe(10);
    expect(pool.statistics().longestTurnMs).toBeLessThanOrEqual(6);
  });

  it('is quiet when no mailbox is ready, over as many turns as that takes', async () => {
    const stage = new Stage();
    const pool = stage.pool({ sliceMs: 1 });
    const box = new Box(pool);
    box.does = () => {
      stage.time += 1;
      return true;
    };
    await expect(pool.quiet()).resolves.toBeUndefined();
    for (let n = 0; n < 5; n += 1) pool.deliver(box, { n }, undefined);
    let quiet = false;
    const waiting = pool.quiet().then(() => (quiet = true));
    for (let turns = 0; turns < 3; turns += 1) stage.turn();
    await Promise.resolve();
    expect([quiet, box.handled.length < 5]).toEqual([false, true]);
    for (let turns = 0; turns < 10; turns += 1) stage.turn();
    await waiting;
    expect(box.handled).toHaveLength(5);
  });

  it('counts all work between two turns as one slice, also of those who send again at once', () => {
    const stage = new Stage();
    const pool = stage.pool({ sliceMs: 4 });
    const box = new Box(pool);
    box.does = () => {
      stage.time += 1;
      return true;
    };
    let sent = 0;
    for (; sent < 20; sent += 1) {
      pool.deliver(box, { n: sent }, undefined);
      stage.settle();
      if (box.handled.length <= sent) break;
    }
    expect(sent).toBe(4);
    stage.turn();
    expect(box.handled).toHaveLength(5);
  });
});
