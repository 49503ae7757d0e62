import { expect } from 'vitest';
import { faultPointNames } from './fault-point-names.js';
import type { MortalSample } from './mortal-sample.js';

/** A point is left at one of its first comings, so that each death finds other work under way. */
const COMINGS = 12;

/** No load makes sure that an instance becomes so contended that it needs a lease: `test/saga/contention.spec.ts` stages it. */
const STAGED = new Set(['saga.leased']);

/** Points that no order of the sample comes to: it has no durable activity and no remote route, and publishes nothing twice under one id. */
const BEYOND_THE_SAMPLE = new Set([
  'relay.complete.before',
  'activity.before',
  'activity.done',
  'remote.send.before',
  'remote.send.after',
]);

/** All points at which a process can be killed under a load. */
export const POINTS = faultPointNames().filter((name) => !STAGED.has(name));
/** Those that orders of the sample come to, and the others. */
export const SAMPLE_POINTS = POINTS.filter((name) => !BEYOND_THE_SAMPLE.has(name));
export const OTHER_POINTS = POINTS.filter((name) => BEYOND_THE_SAMPLE.has(name));

/** Where, and at which coming there, a process is to die. */
export interface Death {
  readonly point: string;
  readonly nth: number;
}

/** Each point so many times, in an order that `random` fixes. */
export function deaths(points: readonly string[], rounds: number, random: () => number): Death[] {
  const all = points.flatMap((point) =>
    Array.from({ length: rounds }, () => ({ point, nth: 1 + Math.floor(random() * COMINGS), at: random() })),
  );
  return all.toSorted((a, b) => a.at - b.at);
}

/** Lets the nodes die one death after the other, all of them at once, and revives them in the end. Gives the points at which they died. */
export async function dieAll(
  nodes: readonly MortalSample[],
  plan: Death[],
  died: (death: Death, nth: number) => void,
): Promise<readonly string[]> {
  const points: string[] = [];
  const next = async (node: MortalSample): Promise<void> => {
    for (let death = plan.shift(); death !== undefined; death = plan.shift()) {
      const { signal } = await node.dieAt(death.point, death.nth);
      expect(signal).toBe('SIGKILL');
      points.push(death.point);
      died(death, points.length);
    }
    await node.revive();
  };
  await Promise.all(nodes.map(next));
  return points.toSorted();
}
