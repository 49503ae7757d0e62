import { OrchestratorOptionError, TransportUnavailableError } from '@nestjs-orchestrator/core';
import { letterName } from '@nestjs-orchestrator/core/internal';
import type { FrameLetter, PeerState } from '@nestjs-orchestrator/core/ports';
import type { Cluster, Redis } from 'ioredis';
import { Connection } from '../connection/connection.js';
import { asUnavailable, opened } from './access.js';
import { ClusterKeys } from './cluster-keys.js';
import { checkName, entryOf } from './directory.js';
import { LAYOUT, settingsIn, TYPE } from './layout.js';
import { lettersOf } from './letters.js';
import { memberOf } from './members.js';
import { streamSettings } from './options.js';

/** A process of a cluster over Redis Streams. */
export interface StreamsProcess {
  readonly name: string;
  readonly pid: number;
  readonly incarnation: string;
  /** `lost`: its lease is over, and no other process has taken it out yet. */
  readonly state: PeerState;
  /** Milliseconds that its lease has left, by the server's clock. */
  readonly leaseLeftMs: number;
  /** Whether it takes part in owning partitions. */
  readonly serves: boolean;
}

/** A partition of a cluster that holds something, or has an owner. */
export interface StreamsPartition {
  readonly partition: number;
  /** Name of the process that owns it; undefined: nobody. */
  readonly owner: string | undefined;
  readonly epoch: number;
  /** Frames that are not done. */
  readonly frames: number;
  /** Frames that were given up. */
  readonly letters: number;
}

/** A frame that was given up; what it says is left out, since that may be nobody's business who looks at a cluster. */
export interface StreamsLetter {
  /** Its name for the verbs of an orchestrator: `replayLetter`, `discardLetter`. */
  readonly letter: string;
  readonly partition: number;
  /** For whom it was; `group/machine` of durable machines. */
  readonly name: string;
  readonly reason: string;
  readonly attempts: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  /** Length of the frame in bytes. */
  readonly size: number;
}

/** What `inspectStreams` tells of a cluster. */
export interface StreamsReport {
  readonly cluster: string;
  readonly prefix: string;
  readonly partitions: number;
  readonly processes: readonly StreamsProcess[];
  readonly names: readonly { readonly name: string; readonly holder: string; readonly about: string }[];
  /** Those that hold frames or letters, or are owned. */
  readonly occupied: readonly StreamsPartition[];
  /** Frames between two processes that are not done. */
  readonly inboxes: readonly { readonly from: string; readonly to: string; readonly frames: number }[];
  /** The oldest of the frames that were given up, as many as `letters` of the options wanted. */
  readonly deadLetters: readonly StreamsLetter[];
}

/** Options of `inspectStreams`, as those of `redisStreams`. */
export interface InspectStreamsOptions {
  readonly prefix?: string;
  readonly timeoutMs?: number;
  /** How many dead letters to list, 1 to 1 000. Default: none, they are counted only. */
  readonly letters?: number;
}

const MOST_LETTERS = 1_000;

type Client = Redis | Cluster;

/**
 * Looks at a cluster over Redis Streams; nothing is changed. The durable machines of a group have a cluster of their own, `cluster/group`. The client is the caller's; what is
 * made like it is closed. `undefined` where there is no such cluster.
 *
 * @throws TransportUnavailableError without a server, with a wrong password, or where another layout of keys is there; NameInvalidError, OrchestratorOptionError
 */
export async function inspectStreams(
  redis: Client,
  cluster: string,
  { letters, ...options }: InspectStreamsOptions = {},
): Promise<StreamsReport | undefined> {
  const { prefix, timeoutMs } = streamSettings(options);
  if (letters !== undefined && (!Number.isInteger(letters) || letters < 1 || letters > MOST_LETTERS))
    throw new OrchestratorOptionError('letters', `must be a whole number of 1 to ${MOST_LETTERS}`, letters);
  checkName(cluster);
  const connection = new Connection(redis, timeoutMs);
  try {
    await opened(connection);
    const { settings } = new ClusterKeys(prefix, cluster, 0);
    const about = await connection.command((client) => client.get(settings));
    if (about === null) return undefined;
    const { layout, partitions } = settingsIn(about);
    if (layout !== LAYOUT) throw otherLayout(cluster, layout);
    const keys = new ClusterKeys(prefix, cluster, partitions);
    const now = await connection.time();
    const found = await connection.command((client) =>
      look(client, { cluster, prefix, partitions, keys, now }),
    );
    if (letters === undefined) return { ...found, deadLetters: [] };
    const oldest = await lettersOf(connection, keys, partitions, letters, undefined);
    return { ...found, deadLetters: oldest.slice(0, letters).map(described) };
  } catch (error) {
    throw asUnavailable(error);
  } finally {
    connection.close();
  }
}

interface Looked {
  readonly cluster: string;
  readonly prefix: string;
  readonly partitions: number;
  readonly keys: ClusterKeys;
  /** By the server's clock. */
  readonly now: number;
}

async function look(
  client: Client,
  { cluster, prefix, partitions, keys, now }: Looked,
): Promise<Omit<StreamsReport, 'deadLetters'>> {
  const [leases, nodes, pulse, entries] = await Promise.all([
    client.zrange(keys.until, '0', '-1', 'WITHSCORES'),
    client.hgetall(keys.nodes),
    client.hget(keys.pulse, 'grace'),
    client.hgetall(keys.names),
  ]);
  const processes = processesIn(leases, nodes, Number(pulse ?? 0), now);
  const holders = new Set(processes.map(({ incarnation }) => incarnation));
  const names = Object.entries(entries)
    .map(([name, entry]) => entryOf(name, entry))
    .filter(({ endpoint }) => holders.has(endpoint.incarnation))
    .map(({ name, endpoint, about }) => ({ name, holder: endpoint.name, about }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const occupied = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => partitionIn(client, keys, partition, processes)),
  );
  return {
    cluster,
    prefix,
    partitions,
    processes,
    names,
    occupied: occupied.filter(({ owner, frames, letters }) => owner !== undefined || frames + letters > 0),
    inboxes: await inboxesIn(client, keys, processes),
  };
}

function processesIn(
  leases: readonly string[],
  nodes: Readonly<Record<string, string>>,
  grace: number,
  now: number,
): readonly StreamsProcess[] {
  const found: StreamsProcess[] = [];
  for (let at = 0; at < leases.length; at += 2) {
    const incarnation = leases[at] ?? '';
    const until = Number(leases[at + 1]);
    const { endpoint, pid, serving: serves } = memberOf(incarnation, nodes[incarnation] ?? '');
    const leaseLeftMs = until - now;
    // After a pause of everybody nobody counts as dead for one lease.
    const state = leaseLeftMs > 0 ? 'up' : grace > now ? 'suspect' : 'lost';
    found.push({ name: endpoint.name, pid, incarnation, state, leaseLeftMs, serves });
  }
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

async function partitionIn(
  client: Client,
  keys: ClusterKeys,
  partition: number,
  processes: readonly StreamsProcess[],
): Promise<StreamsPartition> {
  const { owner, frames, letters } = keys.partition(partition);
  const [[node, epoch], waiting, given] = await Promise.all([
    client.hmget(owner, 'node', 'epoch'),
    client.get(frames),
    client.xlen(letters),
  ]);
  const holder = processes.find(({ incarnation }) => incarnation === node);
  return {
    partition,
    owner: holder?.name,
    epoch: Number(epoch ?? 0),
    frames: Number(waiting ?? 0),
    letters: given,
  };
}

async function inboxesIn(
  client: Client,
  keys: ClusterKeys,
  processes: readonly StreamsProcess[],
): Promise<StreamsReport['inboxes']> {
  const pairs = processes.flatMap((from) => processes.map((to) => ({ from, to })));
  const found = await Promise.all(
    pairs.map(async ({ from, to }) => {
      const frames = await client.get(keys.inboxFrames(keys.inbox(to.incarnation, from.incarnation)));
      return { from: from.name, to: to.name, frames: Number(frames ?? 0) };
    }),
  );
  return found.filter(({ frames }) => frames > 0);
}

function described({ bytes, ...letter }: FrameLetter): StreamsLetter {
  return { ...letter, letter: letterName(letter), size: bytes.byteLength };
}

function otherLayout(cluster: string, layout: string): TransportUnavailableError {
  return new TransportUnavailableError(
    TYPE,
    `cluster '${cluster}' has streams of layout ${layout}, and this build reads ${LAYOUT}. Use the release that its processes run.`,
  );
}
