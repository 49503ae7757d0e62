import type { ClaimedWork } from '../../ports/records.js';

/** `consumed`: the row is gone with the consumer's own commit. `settled`: nothing (more) to do, the row can go. */
export type Consumed = 'consumed' | 'settled';

/** Does the work of one destination. Throwing gives the row back, to be tried again later. */
export interface Consumer {
  /** `handler` work holds a connection while it runs, so fewer run at a time. May change between two rows. */
  readonly pool: 'general' | 'handler';
  /** How many of its rows may run on this node at the same time; absent: as many as its pool lets. What has no room is left to other nodes. */
  readonly concurrency?: number;
  /** @param fresh nobody has been offered this row before, and no other row has its id: it was born from a commit of this node */
  consume(work: ClaimedWork, fresh: boolean): Promise<Consumed>;
  /**
   * Its tries are used up, or no further one can succeed; `error` is that of the last one (`AttemptsExhaustedError`: none of them said how it ended).
   * `bury`, or absent: the row becomes a dead letter. Throwing what is no fault of the work (the store is away, others have the instance) gives the row back;
   * anything else makes it a dead letter that tells both errors.
   */
  giveUp?(work: ClaimedWork, error: unknown): Promise<Consumed | 'bury'>;
  /** How often a row is tried; absent, or `undefined`: as often as the node says. */
  attemptsFor?(work: ClaimedWork): number | undefined;
  /** Told when the row of work that it has `settled` is gone. */
  gone?(work: ClaimedWork): void;
  /** Further fields for the dead letter that a row becomes. */
  describe?(work: ClaimedWork): Promise<Readonly<Record<string, unknown>>>;
}
