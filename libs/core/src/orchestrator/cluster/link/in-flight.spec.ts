import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InFlight } from './in-flight.js';

/** Notes down what it is told. */
function courier(log: string[], name: string) {
  return {
    address: name,
    accepted: () => void log.push(`accepted ${name}`),
    ended: () => void log.push(`ended ${name}`),
    replied: () => void log.push(`replied ${name}`),
  };
}

describe('InFlight', () => {
  it('does what a map would do, whatever the order in which envelopes are done', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('push' as const), units: fc.nat(100) }),
      fc.record({ do: fc.constant('accept' as const), share: fc.nat(100) }),
      fc.record({ do: fc.constant('take' as const), share: fc.nat(100) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const inFlight = new InFlight();
        const log: string[] = [];
        const model = new Map<number, number>();
        const units: number[] = [];
        let accepted = 0;
        const found: unknown[] = [];
        const expected: unknown[] = [];
        for (const one of steps) {
          const last = units.length;
          if (one.do === 'push') {
            units.push(one.units);
            found.push(inFlight.push(courier(log, String(last + 1)), undefined, one.units));
            expected.push(last + 1);
            model.set(last + 1, one.units);
          } else if (one.do === 'accept') {
            accepted += Math.floor(((last - accepted) * one.share) / 100);
            found.push(inFlight.acceptUpTo(accepted));
            expected.push(true);
          } else {
            const number = Math.ceil((last * one.share) / 100);
            found.push(inFlight.take(number)?.address);
            expected.push(model.has(number) ? String(number) : undefined);
            model.delete(number);
          }
          found.push([inFlight.unfinished, inFlight.unaccepted, inFlight.units]);
          const waiting = units.slice(accepted).reduce((sum, size) => sum + size, 0);
          expected.push([model.size, units.length - accepted, waiting]);
        }
        expect(found).toEqual(expected);
        const left = [...inFlight.takeAll()].map(([number]) => number);
        expect(left).toEqual([...model.keys()]);
      }),
    );
  });

  it('keeps those that take long apart, so that the circle does not grow with what is done', () => {
    const inFlight = new InFlight();
    const log: string[] = [];
    inFlight.push(courier(log, 'slow'), undefined, 1);
    inFlight.acceptUpTo(1);
    for (let number = 2; number < 10_000; number += 1) {
      inFlight.push(courier(log, 'quick'), undefined, 1);
      inFlight.acceptUpTo(number);
      expect(inFlight.take(number)?.address).toBe('quick');
    }
    expect(inFlight.slots).toBe(64);
    expect([...inFlight.takeAll()].map(([number, { address }]) => [number, address])).toEqual([[1, 'slow']]);
  });

  it('knows what was not sent', () => {
    const inFlight = new InFlight();
    expect(inFlight.acceptUpTo(1)).toBe(false);
    expect(inFlight.take(1)).toBeUndefined();
  });
});
