import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClaimedWork } from '../../ports/records.js';
import { Lanes } from './lanes.js';

function row(id: string, lane: string | null): ClaimedWork {
  return { tenant: 't', destination: 'd', id, lane, payload: '{}', delayMs: 0, attempts: 1, suspect: false };
}

describe('Lanes', () => {
  it('lets the head of a lane run, and the next one when it is done', () => {
    const lanes = new Lanes();
    const [a, b] = [row('a', 'x'), row('b', 'x')];
    expect(lanes.add(a)).toBe(true);
    expect(lanes.add(b)).toBe(false);
    expect(lanes.finish(a)).toBe(b);
    expect(lanes.finish(b)).toBeUndefined();
    expect(lanes.size).toBe(0);
  });

  it('takes a row once, however often it is offered', () => {
    const lanes = new Lanes();
    expect(lanes.add(row('a', null))).toBe(true);
    expect(lanes.add(row('a', null))).toBe(false);
    expect(lanes.size).toBe(1);
  });

  it('gives up everything behind a row that failed', () => {
    const lanes = new Lanes();
    const [a, b, c] = [row('a', 'x'), row('b', 'x'), row('c', 'y')];
    for (const each of [a, b, c]) lanes.add(each);
    expect(lanes.abandon(a)).toEqual([b]);
    expect(lanes.all()).toEqual([c]);
    expect(lanes.add(row('d', 'x'))).toBe(true);
  });

  it('runs each lane in order and one at a time, whatever the order of arrivals and ends', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('x', 'y', null), fc.boolean())), (steps) => {
        const lanes = new Lanes();
        const running: ClaimedWork[] = [];
        const started: ClaimedWork[] = [];
        const start = (work: ClaimedWork): void => void (running.push(work), started.push(work));
        steps.forEach(([lane, ends], index) => {
          const work = row(String(index).padStart(4, '0'), lane);
          if (lanes.add(work)) start(work);
          const head = ends ? running.shift() : undefined;
          const next = head && lanes.finish(head);
          if (next) start(next);
          for (const name of ['x', 'y'])
            expect(running.filter((r) => r.lane === name).length).toBeLessThanOrEqual(1);
        });
        for (const name of ['x', 'y']) {
          const ids = started.filter((r) => r.lane === name).map((r) => r.id);
          expect(ids).toEqual([...ids].sort());
        }
      }),
    );
  });
});
