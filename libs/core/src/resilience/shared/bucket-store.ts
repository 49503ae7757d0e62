import type { TokenUnits } from '../limiter/token-units.js';

/** One limiter's buckets in a shared store. */
export interface SharedBuckets {
  /** Name of the limiter: limiters of one name share their buckets. */
  readonly name: string;
  /** Tokens as whole units; the same on all nodes, but for a limit that is being changed. */
  readonly units: TokenUnits;
}

/** Asks for `count` times `units` of one bucket. The store gives as many of them as it can, first ones first. */
export interface TakeRequest {
  /** The bucket; `undefined` for the one without a key. */
  readonly key: string | undefined;
  readonly units: number;
  /** How often; 0 takes nothing and looks. */
  readonly count: number;
}

/** What became of a {@link TakeRequest}. */
export interface TakeAnswer {
  /** How many of `count` were given. */
  readonly granted: number;
  /** Units that the bucket holds afterwards. */
  readonly level: number;
}

/** Keeps the buckets of shared rate limiters, outside of the processes that use them. */
export interface SharedBucketStore {
  /**
   * Takes what is asked for, in order, as one atomic step.
   *
   * @param now the instant in milliseconds since the epoch, or `null` for the store's own clock
   */
  take(
    buckets: SharedBuckets,
    requests: readonly TakeRequest[],
    now: number | null,
  ): Promise<readonly TakeAnswer[]>;
  /** Fills the bucket of a key; without one, all buckets of the limiter. */
  fill(buckets: SharedBuckets, key: string | undefined): Promise<void>;
}
