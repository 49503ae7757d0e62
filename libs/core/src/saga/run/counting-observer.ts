import type { SagaObserver } from './saga-observer.js';

/** Counts of one saga on this node since its start. */
export interface SagaCounts {
  /** Commits, those of new instances included. */
  readonly committed: number;
  /** Races lost: the step was made again. */
  readonly conflicts: number;
  /** Steps that failed, each try counted. */
  readonly failed: number;
  /** Instances that were held since they could not go on. */
  readonly held: number;
  /** Messages that wait until their instance exists. */
  readonly parked: number;
  /** Messages without an instance that were discarded. */
  readonly discarded: number;
  /** Times that a limiter or breaker before the saga did not let a message in. */
  readonly throttled: number;
}

type Counts = { -readonly [K in keyof SagaCounts]: number };

/** Counts what happened to sagas, and tells another observer. */
export class CountingObserver implements SagaObserver {
  private readonly counts = new Map<string, Counts>();

  constructor(private readonly next: SagaObserver) {}

  bySaga(): ReadonlyMap<string, SagaCounts> {
    return this.counts;
  }

  readonly committed: SagaObserver['committed'] = (change, version) => {
    this.of(change.ref.saga).committed += 1;
    this.next.committed(change, version);
  };

  readonly conflict: SagaObserver['conflict'] = (saga, ...rest) => {
    this.of(saga.definition.name).conflicts += 1;
    this.next.conflict(saga, ...rest);
  };

  readonly failed: SagaObserver['failed'] = (saga, ...rest) => {
    this.of(saga.definition.name).failed += 1;
    this.next.failed(saga, ...rest);
  };

  readonly held: SagaObserver['held'] = (saga, ...rest) => {
    this.of(saga.definition.name).held += 1;
    this.next.held(saga, ...rest);
  };

  readonly waits: SagaObserver['waits'] = (...all) => this.next.waits(...all);

  readonly late: SagaObserver['late'] = (...all) => this.next.late(...all);

  readonly parked: SagaObserver['parked'] = (saga, ...rest) => {
    this.of(saga.definition.name).parked += 1;
    this.next.parked(saga, ...rest);
  };

  readonly discarded: SagaObserver['discarded'] = (saga, ...rest) => {
    this.of(saga.definition.name).discarded += 1;
    this.next.discarded(saga, ...rest);
  };

  readonly throttled: SagaObserver['throttled'] = (saga, ...rest) => {
    this.of(saga.definition.name).throttled += 1;
    this.next.throttled(saga, ...rest);
  };

  private of(saga: string): Counts {
    let counts = this.counts.get(saga);
    if (counts === undefined) {
      counts = { committed: 0, conflicts: 0, failed: 0, held: 0, parked: 0, discarded: 0, throttled: 0 };
      this.counts.set(saga, counts);
    }
    return counts;
  }
}
