import { OrchestratorOptionError } from '../errors.js';

/** Windows of a member towards each other process. */
export interface ClusterLimits {
  /** Envelopes that may be on their way to a process that has not accepted them. Default: 8 192. */
  readonly maxUnaccepted: number;
  /** Characters of JSON in them. One envelope always has room. Default: 4 194 304. */
  readonly maxUnacceptedCharacters: number;
  /** Envelopes that a process may have accepted and not be done with. Default: 65 536. */
  readonly maxUnfinished: number;
  /**
   * Bytes of the largest event, answer or snapshot between processes; what is larger than a frame of the transport goes in pieces. A process
   * keeps at most so many of what has not come whole from each other one, and refuses what is larger. Default: 16 777 216 (16 MiB).
   */
  readonly maxMessageBytes: number;
}

const DEFAULTS: ClusterLimits = {
  maxUnaccepted: 8_192,
  maxUnacceptedCharacters: 4_194_304,
  maxUnfinished: 65_536,
  maxMessageBytes: 16_777_216,
};

/** @throws OrchestratorOptionError naming the option, its rule and the value */
export function clusterLimits(wishes: Partial<ClusterLimits>): ClusterLimits {
  const limits: { -readonly [Name in keyof ClusterLimits]: number } = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof ClusterLimits)[]) {
    const value = wishes[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1)
      throw new OrchestratorOptionError(name, 'must be a whole number of at least 1', value);
    limits[name] = value;
  }
  return limits;
}
