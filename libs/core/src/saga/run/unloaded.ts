import type { Commit, LoadResult } from '../../ports/instance-store.js';
import type { CurrentInstance } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { buildCommit, UNSEEN, type Change } from './build-commit.js';
import type { ChangeMaker } from './change-maker.js';
import { goesOn, instanceAfter, jointCommit, mayBeJoined, mayRideAlong } from './joint-commit.js';
import { mailboxOf } from './names.js';
import { fitKnown, isAsLoaded } from './plan.js';
import type { SagaObserver } from './saga-observer.js';
import type { Stimulus } from './stimulus.js';

/** Messages of one instance that are committed together at most. */
const MOST = 32;

/** What it takes to handle a stimulus on a state that no load has told. */
export interface UnloadedPorts {
  readonly changes: ChangeMaker;
  readonly observer: SagaObserver;
  readonly versionsOf: (saga: string) => ReadonlyMap<number, CompiledSaga>;
  readonly load: (saga: CompiledSaga, stimulus: Stimulus) => Promise<LoadResult>;
  /** Commits what several stimuli of one instance come to. */
  readonly commit: (commit: Commit, changes: readonly Change[]) => Promise<'consumed' | 'conflict'>;
  /** The message that waits so many places behind the one that is handled, if nothing else stands between. */
  readonly behind: (mailbox: string, place: number) => Stimulus | undefined;
  /** The next so many were handled along. */
  readonly takeAlong: (mailbox: string, count: number) => void;
}

/** One stimulus, and those that were handled along with it. */
interface Joint {
  readonly commits: Commit[];
  readonly changes: Change[];
}

/**
 * Handles stimuli on states that no load has told: those that this node's last commit left, or none at all. What wait behind in the mailbox is handled
 * along: one after the other on the same draft, in one commit.
 */
export class Unloaded {
  constructor(private readonly ports: UnloadedPorts) {}

  /**
   * What a stimulus comes to without a commit counts only if a load says the same; otherwise that load is the answer.
   *
   * @param instance as it probably is; `null`: there probably is none
   * @param lost told of a commit that has lost
   */
  async handle(
    highest: CompiledSaga,
    stimulus: Stimulus,
    instance: CurrentInstance | null,
    lost: () => void,
  ): Promise<'consumed' | 'settled' | LoadResult> {
    const { load, observer } = this.ports;
    const fit = this.fit(highest, instance);
    if (fit === null) return load(highest, stimulus);
    let change: Change | null = null;
    let failure: { readonly error: unknown } | null = null;
    try {
      change = await this.ports.changes.make(fit, instance, stimulus);
    } catch (error) {
      failure = { error };
    }
    if (change !== null) {
      if (await this.commit(fit, change)) return 'consumed';
      lost();
      return load(highest, stimulus);
    }
    const loaded = await load(highest, stimulus);
    if (!isAsLoaded(instance, loaded)) return loaded;
    if (failure === null) return 'settled';
    observer.failed(highest, stimulus, instance, failure.error);
    throw failure.error;
  }

  /**
   * Handles an answer that is no row yet, if that can be done in one commit and nothing stands against it; otherwise nothing has happened.
   *
   * @param instance as it probably is; `null`: there probably is none
   * @param ready called before the commit
   */
  async carry(
    highest: CompiledSaga,
    stimulus: Stimulus,
    instance: CurrentInstance | null,
    ready: () => void,
  ): Promise<boolean> {
    const saga = this.fit(highest, instance);
    if (saga === null) return false;
    const change = await this.tryOn(saga, instance, stimulus);
    if (change === null || !mayBeJoined(change)) return false;
    ready();
    return (await this.ports.commit(buildCommit(change, UNSEEN), [change])) === 'consumed';
  }

  private fit(highest: CompiledSaga, instance: CurrentInstance | null): CompiledSaga | null {
    if (instance === null) return highest;
    return fitKnown(highest, this.ports.versionsOf(highest.definition.name), instance)?.saga ?? null;
  }

  private async commit(saga: CompiledSaga, first: Change): Promise<boolean> {
    const mailbox = mailboxOf(saga, first.stimulus);
    const joint: Joint = { commits: [buildCommit(first, UNSEEN)], changes: [first] };
    if (first.instance !== null && goesOn(first)) await this.takeOn(saga, mailbox, joint);
    const { commits, changes } = joint;
    const handled = await this.ports.commit(jointCommit(commits), changes);
    // If it has lost, those behind have their turn by themselves.
    if (handled === 'consumed') this.ports.takeAlong(mailbox, changes.length - 1);
    return handled === 'consumed';
  }

  /** Goes through the messages behind, up to the first that can't be handled along. */
  private async takeOn(saga: CompiledSaga, mailbox: string, { commits, changes }: Joint): Promise<void> {
    const ids = new Set(changes.map(({ stimulus }) => stimulus.messageId));
    while (changes.length < MOST && goesOn(changes.at(-1) as Change)) {
      const next = this.ports.behind(mailbox, changes.length);
      if (next === undefined || !mayRideAlong(next) || ids.has(next.messageId)) return;
      const change = await this.tryOn(saga, instanceAfter(commits.at(-1) as Commit), next);
      if (change === null || !mayBeJoined(change)) return;
      ids.add(next.messageId);
      changes.push(change);
      commits.push(buildCommit(change, UNSEEN));
    }
  }

  /** What fails, or changes nothing, runs once more by itself; that it failed here is told as well, for then it may not. */
  private async tryOn(
    saga: CompiledSaga,
    instance: CurrentInstance | null,
    stimulus: Stimulus,
  ): Promise<Change | null> {
    try {
      return await this.ports.changes.make(saga, instance, stimulus);
    } catch (error) {
      this.ports.observer.failed(saga, stimulus, instance, error);
      return null;
    }
  }
}
