import { stoppedWithTheRun } from '../ending.js';
import type { Result } from '../measure.js';
import { ONLY, PARTS } from './choice.js';
import { acknowledged, field, nameOf, RIVAL } from './field.js';
import { floors } from './floors.js';
import { grid } from './grid.js';
import { during, progress } from './opened.js';
import { ASLEEP_TRIPS, between, BUSY_TRIPS, pairLines, SLEEP_MS, tripLines, type Pair } from './pair.js';
import { natsServer, rabbitServer, redisServer, type Started } from './servers.js';
import type { Addresses, WireName } from './wire.js';

/**
 * Events, round trips and idling between processes. `ours` is the wire that the line names; the peer is Nest's TCP transport in the same run, also
 * for other peers. A server that can't be had is said and left out.
 */
export async function* transports(): AsyncGenerator<Result> {
  const chosen = field();
  const { addresses, missing, stop } = await servers(chosen);
  try {
    const present = chosen.filter((wire) => !missing.has(wire));
    if (PARTS.includes('pair')) yield* pairs(present, addresses);
    if (PARTS.includes('grid')) yield* grid(present, addresses);
  } finally {
    await stop();
  }
}

async function* pairs(wires: readonly WireName[], addresses: Addresses): AsyncGenerator<Result> {
  let rival: Pair | undefined;
  for (const wire of wires) {
    progress(`pair: ${nameOf(wire)}`);
    const pair = await during(wire, 1, addresses, between);
    if (nameOf(wire) === RIVAL) rival = pair;
    yield* pairLines(`${nameOf(wire)} (${acknowledged(wire)})`, pair, rival);
  }
  if (ONLY.length > 0 && !ONLY.includes('floors')) return;
  for await (const floor of floors(BUSY_TRIPS, ASLEEP_TRIPS, SLEEP_MS))
    yield* tripLines(floor.name, floor, rival);
}

type ServerName = keyof Addresses;

const STARTS: Readonly<Record<ServerName, () => Promise<Started>>> = {
  redis: () => redisServer(),
  lastingRedis: () => redisServer('lasting'),
  nats: natsServer,
  rabbitmq: rabbitServer,
};

function serverOf({ face, carrier }: WireName): ServerName | undefined {
  if (face === 'partitions') return 'lastingRedis';
  if (carrier === 'redis-streams') return 'redis';
  return carrier in STARTS ? (carrier as ServerName) : undefined;
}

interface Servers {
  readonly addresses: Addresses;
  readonly missing: ReadonlySet<WireName>;
  stop(): Promise<void>;
}

/** Those that are needed. */
async function servers(wires: readonly WireName[]): Promise<Servers> {
  const started: Started[] = [];
  const stop = stoppedWithTheRun(async () => {
    for (const server of started) await server.stop();
  });
  const addresses = { redis: '', lastingRedis: '', nats: '', rabbitmq: '' };
  const missing = new Set<WireName>();
  for (const name of Object.keys(STARTS) as ServerName[]) {
    const users = wires.filter((wire) => serverOf(wire) === name);
    if (users.length === 0) continue;
    try {
      const server = await STARTS[name]();
      started.push(server);
      addresses[name] = server.url;
    } catch (error) {
      for (const wire of users) missing.add(wire);
      progress(`left out: ${users.map(nameOf).join(', ')}: ${String(error)}`);
    }
  }
  return { addresses, missing, stop };
}
