import { silentLogger, type Logger } from '@nestjs-orchestrator/core/ports';

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** Begins the name of every key; default `orchestrator`. Stores with other prefixes know nothing of each other. */
  readonly prefix?: string;
  /** After this many milliseconds without an answer the server counts as unreachable; default 10 000. */
  readonly timeoutMs?: number;
  /**
   * How long a transaction that consumes a message keeps others from deciding the same while its node gives no sign of life, in
   * milliseconds; default 10 000. It is renewed as long as the transaction runs.
   */
  readonly decisionMs?: number;
  /** Hears about settings of the server under which acknowledged commits may be lost. Default: nobody. */
  readonly logger?: Logger;
}

/** The options with their defaults; throws for what can't be. */
export function withDefaults(options: RedisStoreOptions): Required<RedisStoreOptions> {
  const { prefix = 'orchestrator', timeoutMs = 10_000, decisionMs = 10_000, logger = silentLogger } = options;
  if (prefix === '') throw new RangeError("prefix '' would put the keys among those of others: name one.");
  mustBePositive('timeoutMs', timeoutMs);
  mustBePositive('decisionMs', decisionMs);
  return { prefix, timeoutMs, decisionMs, logger };
}

function mustBePositive(name: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new RangeError(`${name} is ${value}: give a number of milliseconds above 0.`);
}
