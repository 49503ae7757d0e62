import { CommandError } from '../errors.js';
import { pipeText } from '../output/pipe-text.js';
import { segmentText } from '../output/segment-text.js';
import { streamsText } from '../output/streams-text.js';
import { wanted } from '../wanted.js';

/** What can join the processes of a cluster that can be looked at. */
export const TYPES = ['shared-memory', 'named-pipe', 'distributed'] as const;
export type InspectedType = (typeof TYPES)[number];

/** Which cluster is meant. */
export interface ClusterFlags {
  readonly type: InspectedType;
  readonly directory?: string | undefined;
  readonly redis?: string | undefined;
  readonly prefix?: string | undefined;
  /** How many dead letters to list. */
  readonly letters?: number | undefined;
}

/** A cluster as it was found, for programs and for people. */
export interface Seen {
  readonly report: object;
  readonly text: string;
}

/**
 * Looks at a cluster, changing nothing.
 *
 * @throws CommandError where there is none, or a package is not installed; TransportUnavailableError where it may not be looked at
 */
export async function look(cluster: string, flags: ClusterFlags): Promise<Seen> {
  const seen = await BY_TYPE[flags.type](cluster, flags);
  if (seen !== undefined) return seen;
  throw new CommandError(
    flags.type === 'distributed'
      ? `There is no cluster '${cluster}' in this Redis under the prefix '${flags.prefix ?? 'orchestrator'}'. Look at its name, at --prefix, and at the number of the database in the URL.`
      : `This user has no cluster '${cluster}' over ${WORDS[flags.type]}. It is there as long as one of its processes lives; look at its name and at --directory.`,
  );
}

type Look = (cluster: string, flags: ClusterFlags) => Promise<Seen | undefined>;

const WORDS = { 'shared-memory': 'shared memory', 'named-pipe': 'named pipes' } as const;

const BY_TYPE: Readonly<Record<InspectedType, Look>> = {
  'shared-memory': async (cluster, flags) => {
    const { inspectSegment } = await transports();
    const report = await inspectSegment(cluster, folderOf(flags));
    return report && { report, text: segmentText(report) };
  },
  'named-pipe': async (cluster, flags) => {
    const { inspectPipes } = await transports();
    const report = await inspectPipes(cluster, folderOf(flags));
    return report && { report, text: pipeText(report) };
  },
  distributed: async (cluster, { redis: url = '', prefix, letters }) => {
    const { Redis } = await wanted('ioredis', () => import('ioredis'));
    const { inspectStreams } = await wanted(
      '@nestjs-orchestrator/redis',
      () => import('@nestjs-orchestrator/redis'),
    );
    const redis = new Redis(url, { lazyConnect: true });
    try {
      const report = await inspectStreams(redis, cluster, {
        ...(prefix === undefined ? {} : { prefix }),
        ...(letters === undefined ? {} : { letters }),
      });
      return report && { report, text: streamsText(report) };
    } finally {
      redis.disconnect();
    }
  },
};

const transports = () =>
  wanted('@nestjs-orchestrator/transports', () => import('@nestjs-orchestrator/transports'));

const folderOf = ({ directory }: ClusterFlags): { readonly directory?: string } =>
  directory === undefined ? {} : { directory };
