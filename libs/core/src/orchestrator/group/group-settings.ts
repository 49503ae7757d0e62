import { systemClock, uuidSource } from '../../ports/system-clock.js';
import type { Clock } from '../../ports/clock.js';
import type { IdSource } from '../../ports/ids.js';
import { silentLogger, type Logger } from '../../ports/logger.js';
import type { ChannelGroupOptions, GroupIdentity } from '../options.js';
import { guardedLogger, guardedRule } from './guarded-hooks.js';
import { given, mustBeCount, mustBeMilliseconds } from '../pool/pool-settings.js';

const LIMITS = {
  maxMachines: 1_000_000,
  maxQueued: 1_000_000,
  maxQueuedPerMachine: 100_000,
  maxWaitingSenders: 100_000,
  actionTimeoutMs: 30_000,
  requestTimeoutMs: 30_000,
  releaseTimeoutMs: 5_000,
  slowStepMs: 10,
  maxEventValues: 10_000,
  repeatWindow: 16_384,
  repeatWindowMs: 600_000,
};

/** Group options, checked and complete. */
export type GroupSettings = typeof LIMITS & {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ids: IdSource;
  readonly admits: (group: GroupIdentity) => boolean;
};

/** @throws OrchestratorOptionError naming the option, its rule and the value */
export function groupSettings(options: ChannelGroupOptions): GroupSettings {
  const limits = { ...LIMITS, ...given(options, LIMITS) };
  mustBeCount(
    limits,
    'maxMachines',
    'maxQueued',
    'maxQueuedPerMachine',
    'maxWaitingSenders',
    'maxEventValues',
    'repeatWindow',
  );
  mustBeMilliseconds(limits, 'repeatWindowMs');
  mustBeMilliseconds(limits, 'actionTimeoutMs', 'requestTimeoutMs', 'releaseTimeoutMs', 'slowStepMs');
  const { clock = systemClock, logger = silentLogger, ids = uuidSource, reachableFrom = [] } = options;
  const admits =
    typeof reachableFrom === 'function'
      ? guardedRule(reachableFrom)
      : ({ name, cluster }: GroupIdentity): boolean =>
          reachableFrom.includes(cluster === undefined ? name : `${cluster}/${name}`);
  return { ...limits, clock, logger: logger === silentLogger ? logger : guardedLogger(logger), ids, admits };
}
