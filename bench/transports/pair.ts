import type { Result } from '../measure.js';
import { MILLISECONDS, ROUNDS, SIZES } from './choice.js';
import { median, type Contest, type Trips } from './contest.js';
import { besideRival, lessThanRival } from './lines.js';

export const SLEEP_MS = 5;
export const BUSY_TRIPS = 3_000;
export const ASLEEP_TRIPS = 200;
const FIRST_TRIPS = 500;
const IDLE_MS = 5_000;

/** Of one size between two processes. */
export interface Pair {
  readonly perSecond: number;
  readonly busy: Trips;
  readonly asleep: Trips;
  readonly idle: number;
}

/** Two processes, and the smallest size. */
export async function between(contest: Contest): Promise<Pair> {
  const [smallest = 100] = SIZES;
  const perSecond = median(await contest.takes(ROUNDS, MILLISECONDS, smallest));
  await contest.trips(FIRST_TRIPS, smallest);
  const busy = await contest.trips(BUSY_TRIPS, smallest);
  const asleep = await contest.trips(ASLEEP_TRIPS, smallest, SLEEP_MS);
  return { perSecond, busy, asleep, idle: await contest.idle(IDLE_MS) };
}

export function* pairLines(name: string, pair: Pair, rival: Pair | undefined): Generator<Result> {
  const { perSecond, idle } = pair;
  yield besideRival(`${name}: events`, perSecond, rival?.perSecond, 'events/s');
  yield* tripLines(name, pair, rival);
  yield lessThanRival(`${name}: processor while idle`, idle, rival?.idle, '% of a core');
}

type TripFigures = Pick<Pair, 'busy' | 'asleep'>;

export function* tripLines(
  name: string,
  { busy, asleep }: TripFigures,
  rival: TripFigures | undefined,
): Generator<Result> {
  yield lessThanRival(`${name}: round trip, p50`, busy.p50, rival?.busy.p50, 'µs');
  yield lessThanRival(`${name}: round trip, p99`, busy.p99, rival?.busy.p99, 'µs');
  yield lessThanRival(`${name}: round trip from sleep, p50`, asleep.p50, rival?.asleep.p50, 'µs');
  yield lessThanRival(`${name}: round trip from sleep, p99`, asleep.p99, rival?.asleep.p99, 'µs');
}
