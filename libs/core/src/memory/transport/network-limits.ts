import { OrchestratorOptionError } from '../../orchestrator/errors.js';

/** Sizes of a {@link MemoryNetwork}; the same rules as those of transports between processes, with more room. */
export interface MemoryNetworkLimits {
  /** Bytes of the largest frame. Default: 65 536. */
  readonly maxFrameBytes?: number;
  /** Frames that may be on the way from one endpoint to another. Default: 1 024. */
  readonly laneFrames?: number;
  /** Their bytes. One frame always has room. Default: 262 144. */
  readonly laneBytes?: number;
  /** Endpoints of one cluster. Default: 256. */
  readonly maxEndpoints?: number;
  /** Names of one cluster. Default: 100 000. */
  readonly maxNames?: number;
  /** Bytes (UTF-8) of a name. Default: 255. */
  readonly maxNameBytes?: number;
}

/** All limits. */
export type NetworkLimits = Required<MemoryNetworkLimits>;

const DEFAULTS: NetworkLimits = {
  maxFrameBytes: 65_536,
  laneFrames: 1_024,
  laneBytes: 262_144,
  maxEndpoints: 256,
  maxNames: 100_000,
  maxNameBytes: 511,
};

/** @throws OrchestratorOptionError naming the option, its rule and the value */
export function networkLimits(wishes: MemoryNetworkLimits): NetworkLimits {
  const limits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof NetworkLimits)[]) {
    const value = wishes[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new OrchestratorOptionError(name, 'must be a whole number of at least 1', value);
    }
    limits[name] = value;
  }
  return limits;
}
