import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzz/fuzz.js';

const MACHINES = 2_000;
const PARTS = 8;

describe('random machines in both engines', () => {
  const each = MACHINES / PARTS;
  const seeds = Array.from({ length: PARTS }, (_, part) => 1 + part * 10_000);

  it.each(seeds)(`agree after every event, for ${each} machines from seed %i`, (seed) => {
    const report = fuzz({ seed, machines: each, events: 50, lawsEvery: 5 });
    expect(report.failure).toBeNull();
    expect(report.events).toBeGreaterThanOrEqual(each * 50);
    expect(report.refused).toBeLessThan(each / 50);
  });
});
