import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { IdSource, Random } from '../../ports/ids.js';
import type { Commit, CommitResult, InstanceStore, WriteOptions } from '../../ports/instance-store.js';
import type { WorkRecord } from '../../ports/records.js';
import type { SagaObserver } from './saga-observer.js';

/** What a saga runner needs of its node. */
export interface RunnerPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
  readonly faults: FaultPoints;
  readonly observer: SagaObserver;
  readonly writeOptions: () => WriteOptions;
  /** Longest JSON that is stored, in characters. */
  readonly maxPayload: number;
  /** Writes work that belongs to no commit. */
  readonly enqueue: (work: readonly WorkRecord[]) => Promise<void>;
  /** Tells the node of what a commit has made: work to dispatch, timers to wait for. */
  readonly committed: (commit: Commit, result: Extract<CommitResult, { outcome: 'committed' }>) => void;
}
