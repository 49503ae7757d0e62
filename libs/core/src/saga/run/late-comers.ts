import type { Commit, CommitResult } from '../../ports/instance-store.js';
import type { InboxRecord, WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { ChangeMaker } from './change-maker.js';
import { overCommit } from './over.js';
import type { Plan } from './plan.js';
import type { SagaObserver } from './saga-observer.js';
import type { Stimulus } from './stimulus.js';

/** What it takes to answer what came too late. */
export interface LateComersPorts {
  readonly changes: Pick<ChangeMaker, 'answer'>;
  readonly observer: Pick<SagaObserver, 'late' | 'discarded'>;
  readonly enqueue: (work: readonly WorkRecord[]) => Promise<void>;
  readonly commit: (commit: Commit) => Promise<CommitResult>;
  readonly committed: (commit: Commit, result: Extract<CommitResult, { outcome: 'committed' }>) => void;
}

type Answer = Pick<InboxRecord, 'outcome' | 'reply'>;

const LATE: Answer = { outcome: 'late', reply: null };

/** Answers what came too late to change an instance. */
export class LateComers {
  constructor(private readonly ports: LateComersPorts) {}

  /** There is nothing to change; whoever asks gets what was answered the first time. */
  async repeated(stimulus: Stimulus, seen: Answer): Promise<'settled'> {
    await this.ports.enqueue(this.answer(stimulus, seen));
    return 'settled';
  }

  /** Its instance is gone for good. */
  gone(saga: CompiledSaga, stimulus: Stimulus): Promise<'settled'> {
    this.ports.observer.discarded(saga, stimulus);
    return this.repeated(stimulus, LATE);
  }

  /** Nobody of this build could answer it, or say that nobody would. @throws SagaEndedVersionError where something is to be undone */
  async over(
    saga: CompiledSaga,
    stimulus: Stimulus,
    { instance, error }: Extract<Plan, { kind: 'over' }>,
    lease: string | null,
  ): Promise<'consumed' | 'settled' | 'conflict'> {
    const { observer, commit, committed } = this.ports;
    const late = overCommit(instance, stimulus, error, this.answer(stimulus, LATE));
    if (late === null) return 'settled';
    const result = await commit({ ...late, lease });
    if (result.outcome === 'conflict') return 'conflict';
    committed(late, result);
    observer.late(saga, stimulus, instance);
    return 'consumed';
  }

  private answer({ cause }: Stimulus, seen: Answer): readonly WorkRecord[] {
    // The handling of what still waits will answer.
    if (cause.kind !== 'message' || seen.outcome === 'deferred') return [];
    return this.ports.changes.answer(seen, cause.envelope);
  }
}
