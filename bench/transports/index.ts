import { compare, type Result } from '../measure.js';
import { Contest, leastEvents, type Trips } from './contest.js';
import { floors } from './floors.js';
import { stoppedWithTheRun } from '../ending.js';
import { natsServer, rabbitServer, redisServer, type Started } from './servers.js';
import type { Addresses, WireName } from './wire.js';

/** Best of so many runs each. */
const ROUNDS = number('rounds', 3);
const MILLISECONDS = number('milliseconds', 1_500);
/** Of each size to each number of receivers: one run, so that all the field takes a few minutes. */
const GRID_MILLISECONDS = number('grid-milliseconds', 300);
/** `pair`: one size between two processes, and idling; `grid`: every size to every number of receivers. */
const PARTS = list('parts', ['pair', 'grid']);
const SIZES = list('sizes', ['100', '1000', '64000']).map(Number);
const RECEIVERS = list('receivers', ['1', '4', '8']).map(Number);
/** `named-pipe,tcp` takes part of the field. */
const ONLY = list('only', []);
/** `orchestrator,ipc` takes part of the interfaces. */
const FACES = list('faces', []);
const SLEEP_MS = 5;
const BUSY_TRIPS = 3_000;
const ASLEEP_TRIPS = 200;
/** Of each size to each number of receivers. */
const EACH_TRIPS = 200;

const OURS: readonly WireName[] = ['port', 'orchestrator', 'nest'].flatMap((face) =>
  ['shared-memory', 'named-pipe', 'redis-streams'].map((carrier) => ({ face, carrier }) as WireName),
);
const LASTING: WireName = { face: 'partitions', carrier: 'redis-streams' };
const PEERS: readonly WireName[] = [
  { face: 'nest', carrier: 'tcp' },
  { face: 'nest', carrier: 'redis' },
  { face: 'nest', carrier: 'nats' },
  { face: 'nest', carrier: 'rabbitmq' },
  { face: 'ipc', carrier: 'child_process' },
  { face: 'message-port', carrier: 'worker thread' },
];
/** Whom ratios are taken against: what Nest does without a broker. */
const RIVAL = 'Nest tcp';

/** Of one size between two processes. */
interface Pair {
  readonly perSecond: number;
  readonly busy: Trips;
  readonly asleep: Trips;
  readonly idle: number;
}

interface Figures {
  /** undefined: not wanted. */
  readonly pair: Pair | undefined;
  /** Events per second of a size to so many receivers, by the words for it. */
  readonly events: ReadonlyMap<string, number>;
  /** Round trips one after the other, taking turns between the receivers, likewise. */
  readonly trips: ReadonlyMap<string, Trips>;
}

/**
 * Events, round trips and idling between processes. `ours` is the wire that the line names; the peer is Nest's TCP transport in the same run, also
 * for other peers. A server that can't be had is said and left out.
 */
export async function* transports(): AsyncGenerator<Result> {
  const { addresses, stop, missing } = await servers();
  try {
    const field = [...PEERS, ...OURS, LASTING].filter((wire) => wanted(wire) && !missing.has(wire.carrier));
    let rival: Figures | undefined;
    for (const wire of field) {
      const figures = await measure(wire, addresses);
      if (nameOf(wire) === RIVAL) rival = figures;
      yield* lines(nameOf(wire), figures, rival);
    }
    if (!allows(ONLY, 'floors')) return;
    for await (const floor of floors(BUSY_TRIPS, ASLEEP_TRIPS, SLEEP_MS))
      yield* tripLines(floor.name, floor, rival?.pair);
  } finally {
    await stop();
  }
}

async function measure(wire: WireName, addresses: Addresses): Promise<Figures> {
  const events = new Map<string, number>();
  const trips = new Map<string, Trips>();
  const pour = async (contest: Contest, receivers: number): Promise<void> => {
    const to = receivers === 1 ? '' : ` to ${receivers} processes`;
    for (const bytes of SIZES) {
      events.set(`events of ${bytes} B${to}`, await fastest(contest, bytes, 1, GRID_MILLISECONDS));
      trips.set(`round trip of ${bytes} B${to}`, await contest.trips(EACH_TRIPS, bytes));
    }
  };
  const during = async <T>(receivers: number, work: (contest: Contest) => Promise<T>): Promise<T> => {
    const contest = await Contest.open(wire, receivers, addresses);
    const close = stoppedWithTheRun(() => contest.close());
    try {
      return await work(contest);
    } finally {
      await close();
    }
  };
  const pair = PARTS.includes('pair') ? await during(1, between) : undefined;
  if (PARTS.includes('grid'))
    for (const receivers of RECEIVERS) await during(receivers, (several) => pour(several, receivers));
  return { pair, events, trips };
}

/** Two processes, and the smallest size. */
async function between(contest: Contest): Promise<Pair> {
  const [smallest = 100] = SIZES;
  const perSecond = await fastest(contest, smallest, ROUNDS, MILLISECONDS);
  await contest.trips(500, smallest);
  const busy = await contest.trips(BUSY_TRIPS, smallest);
  const asleep = await contest.trips(ASLEEP_TRIPS, smallest, SLEEP_MS);
  return { perSecond, busy, asleep, idle: await contest.idle(5_000) };
}

/** As many events as take the wanted time, which the warming up and each round tell for the next one. */
async function fastest(
  contest: Contest,
  bytes: number,
  rounds: number,
  milliseconds: number,
): Promise<number> {
  let best = 0;
  let perSecond = await contest.warmUp(bytes);
  for (let round = 0; round < rounds; round += 1) {
    const wanted = Math.round((perSecond * milliseconds) / 1_000);
    perSecond = await contest.events(Math.max(leastEvents(bytes), wanted), bytes);
    best = Math.max(best, perSecond);
  }
  return best;
}

function* lines(name: string, figures: Figures, rival: Figures | undefined): Generator<Result> {
  for (const [what, perSecond] of figures.events)
    yield compare(`${name}: ${what}`, perSecond, rival?.events.get(what) ?? NaN, RIVAL, 'events/s');
  for (const [what, { p50 }] of figures.trips)
    yield less(`${name}: ${what}, p50`, p50, rival?.trips.get(what)?.p50);
  if (figures.pair === undefined) return;
  const { perSecond, idle } = figures.pair;
  yield compare(`${name}: events`, perSecond, rival?.pair?.perSecond ?? NaN, RIVAL, 'events/s');
  yield* tripLines(name, figures.pair, rival?.pair);
  yield compare(`${name}: processor while idle`, idle, rival?.pair?.idle ?? NaN, RIVAL, '% of a core');
}

type TripFigures = Pick<Pair, 'busy' | 'asleep'>;

function* tripLines(name: string, figures: TripFigures, rival: TripFigures | undefined): Generator<Result> {
  yield less(`${name}: round trip, p50`, figures.busy.p50, rival?.busy.p50);
  yield less(`${name}: round trip, p99`, figures.busy.p99, rival?.busy.p99);
  yield less(`${name}: round trip from sleep, p50`, figures.asleep.p50, rival?.asleep.p50);
  yield less(`${name}: round trip from sleep, p99`, figures.asleep.p99, rival?.asleep.p99);
}

/** Of times, less is better. */
function less(name: string, ours: number, peer = NaN): Result {
  const line = compare(name, ours, peer, RIVAL, 'µs');
  return { ...line, ratio: Number((peer / ours).toPrecision(3)) };
}

const nameOf = ({ face, carrier }: WireName): string => {
  if (face === 'nest')
    return PEERS.some((peer) => peer.carrier === carrier) ? `Nest ${carrier}` : `${carrier}, Nest strategy`;
  if (face === 'partitions') return `${carrier}, frames acknowledged by a server that writes them down`;
  if (face === 'orchestrator') return `${carrier}, createOrchestrator`;
  return face === 'port' ? `${carrier}, frames` : `${face} to a ${carrier}`;
};

const allows = (choice: readonly string[], name: string): boolean =>
  choice.length === 0 || choice.includes(name);
const wanted = ({ face, carrier }: WireName): boolean => allows(ONLY, carrier) && allows(FACES, face);

async function servers(): Promise<{ addresses: Addresses; missing: Set<string>; stop: () => Promise<void> }> {
  const started: Started[] = [];
  const stop = stoppedWithTheRun(async () => {
    for (const server of started) await server.stop();
  });
  const missing = new Set<string>();
  const have = async (carriers: readonly string[], start: () => Promise<Started>): Promise<string> => {
    if (ONLY.length > 0 && !carriers.some((carrier) => ONLY.includes(carrier))) return '';
    try {
      const server = await start();
      started.push(server);
      return server.url;
    } catch (error) {
      for (const carrier of carriers) missing.add(carrier);
      process.stderr.write(`left out: ${carriers.join(', ')}: ${String(error)}\n`);
      return '';
    }
  };
  const addresses = {
    redis: await have(['redis', 'redis-streams'], () => redisServer()),
    lastingRedis: await have(['redis-streams'], () => redisServer('lasting')),
    nats: await have(['nats'], natsServer),
    rabbitmq: await have(['rabbitmq'], rabbitServer),
  };
  return { addresses, missing, stop };
}

function argument(name: string): string | undefined {
  return process.argv.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3);
}

function number(name: string, fallback: number): number {
  return Number(argument(name) ?? fallback);
}

function list(name: string, fallback: readonly string[]): readonly string[] {
  return argument(name)?.split(',') ?? fallback;
}
