import { describe, expect, it } from 'vitest';
import { Fence } from './fence.js';

describe('a fence', () => {
  it('lets pass whoever has the highest epoch of its cluster, and nobody before', () => {
    const fence = new Fence();
    expect([fence.meet('a', 1, 'first'), fence.meet('a', 1, 'first')]).toEqual(['new', 'known']);
    expect([fence.meet('a', 2, 'second'), fence.meet('a', 1, 'first')]).toEqual(['new', 'stale']);
    expect(fence.meet('a', 2, 'rival')).toBe('stale');
    expect(['first', 'second', 'rival'].map((one) => fence.passes(one))).toEqual([false, true, false]);
    expect([fence.epochOf('a'), fence.epochOf('b'), fence.presentOf('a')]).toEqual([2, 0, 'second']);
  });

  it('remembers the epoch of one that is gone', () => {
    const fence = new Fence();
    fence.meet('a', 2, 'first');
    fence.lose('first');
    expect([fence.passes('first'), fence.meet('a', 2, 'first'), fence.meet('a', 3, 'next')]).toEqual([
      false,
      'stale',
      'new',
    ]);
  });

  it('of a process that is another incarnation lets living gateways greet it once more, under the epoch that they have', () => {
    const fence = new Fence();
    fence.meet('a', 1, 'former');
    fence.meet('a', 2, 'present');
    fence.anew();
    expect(fence.passes('present')).toBe(false);
    // Who was fenced off before stays so.
    expect(fence.meet('a', 1, 'former')).toBe('stale');
    expect([fence.meet('a', 2, 'present'), fence.meet('a', 2, 'present')]).toEqual(['new', 'known']);
    expect(fence.passes('present')).toBe(true);
    fence.lose('present');
    expect(fence.meet('a', 2, 'present')).toBe('stale');
  });
});
