import { OrchestratorOptionError } from '@nestjs-orchestrator/core';

/** Options of {@link redisStreams}. Those marked with (all) must be the same in every process of a cluster. */
export interface RedisStreamsOptions {
  /** Begins the name of every key (all). Default: `orchestrator`. */
  readonly prefix?: string;
  /** Partitions of a cluster, 1 to 4 096, for ever (all): a process with another number is refused. Default: 64. */
  readonly partitions?: number;
  /**
   * Milliseconds without a sign of life after which a process counts as dead and its partitions go to others. It gives one every third of
   * that. Default: 5 000.
   */
  readonly leaseMs?: number;
  /** Frames that may wait in a partition (all); a publisher is refused above. Default: 100 000. */
  readonly maxPartitionFrames?: number;
  /** Frames that may wait for an endpoint from one sender. Default: 4 096. */
  readonly maxInboxFrames?: number;
  /** Frames to one target that may wait in this process for the server. Default: 10 000. */
  readonly maxPending?: number;
  /** Bytes of the largest frame. Default: 1 048 576. */
  readonly maxFrameBytes?: number;
  /** Frames of a partition that are handed over at a time, about. Default: 1 024. */
  readonly window?: number;
  /** Deliveries that may fail, or end their process, before a frame becomes a dead letter. Default: 5. */
  readonly maxAttempts?: number;
  /** Milliseconds until a frame that failed comes again; doubled with each failure, up to a hundredfold. Default: 100. */
  readonly retryMs?: number;
  /** Milliseconds that a partition which is handed over waits for what is under way; then its frames come again at the next owner. Default: 10 000. */
  readonly handOverMs?: number;
  /** After this many milliseconds without an answer the server counts as unreachable. Default: 10 000. */
  readonly timeoutMs?: number;
}

/** The options, complete. */
export type StreamSettings = Required<RedisStreamsOptions>;

const DEFAULTS = {
  partitions: 64,
  leaseMs: 5_000,
  maxPartitionFrames: 100_000,
  maxInboxFrames: 4_096,
  maxPending: 10_000,
  maxFrameBytes: 1_048_576,
  window: 1_024,
  maxAttempts: 5,
  retryMs: 100,
  handOverMs: 10_000,
  timeoutMs: 10_000,
};

const MOST_PARTITIONS = 4_096;

/** @throws OrchestratorOptionError naming the option, its rule and the value */
export function streamSettings(options: RedisStreamsOptions): StreamSettings {
  const { prefix = 'orchestrator', ...given } = options;
  if (prefix === '') throw new OrchestratorOptionError('prefix', 'must be a text', prefix);
  const settings = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const value = given[name] ?? DEFAULTS[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new OrchestratorOptionError(name, 'must be a whole number of at least 1', value);
    }
    settings[name] = value;
  }
  if (settings.partitions > MOST_PARTITIONS) {
    throw new OrchestratorOptionError(
      'partitions',
      `must be at most ${MOST_PARTITIONS}`,
      settings.partitions,
    );
  }
  return { prefix, ...settings };
}
