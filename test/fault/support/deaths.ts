import { expect } from 'vitest';
import { faultPointNames } from './fault-point-names.js';
import type { MortalSample } from './mortal-sample.js';

/** A point is left at one of its first comings, so that each death finds other work under way. */
const COMINGS = 12;

/** Points that the sample's orders come to. */
export const SAMPLE_POINTS = [
  'participant.before',
  'participant.commit.after',
  'participant.commit.before',
  'saga.commit.after',
  'saga.commit.before',
  'undo.before',
  'undo.done',
];

/** Points beyond the sample, which has no durable activity and no remote route, and publishes nothing twice under one id. */
export const OTHER_POINTS = [
  'activity.before',
  'activity.done',
  'relay.complete.before',
  'remote.send.after',
  'remote.send.before',
];

/** All points that errands come to. */
export const POINTS = [...SAMPLE_POINTS, ...OTHER_POINTS].toSorted();

/** Points that are staged elsewhere, and where. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  // No load makes sure that an instance becomes so contended that it needs a lease.
  'saga.leased': 'test/saga/contention.spec.ts',
  'durable.commit.before': 'test/orchestrator/durable/durable.spec.ts',
  'durable.commit.after': 'test/orchestrator/durable/durable.spec.ts',
  'durable.effect.before': 'test/orchestrator/durable/durable.spec.ts',
  'durable.effect.after': 'test/orchestrator/durable/durable.spec.ts',
};

/** Fault points of the libs that have no place in a test of deaths. */
export function forgottenPoints(): readonly string[] {
  const known = new Set([...POINTS, ...Object.keys(ELSEWHERE)]);
  return faultPointNames().filter((name) => !known.has(name));
}

/** Those of the points that `FAULT_POINTS` names, or all of them. A name that no point has is refused: it would kill nothing. */
export function chosenPoints(
  points: readonly string[],
  wanted: string | undefined = process.env['FAULT_POINTS'],
): readonly string[] {
  if (wanted === undefined) return points;
  const names = wanted.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !POINTS.includes(name));
  if (unknown.length > 0)
    throw new Error(`No fault point is called ${unknown.join(', ')}. There are: ${POINTS.join(', ')}.`);
  return points.filter((point) => names.includes(point));
}

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
