import type { KeyRecord, SagaStatus, StoredInstance } from './records.js';

/** Which instances of one saga and tenant to list. */
export interface InstanceFilter {
  readonly tenant: string;
  readonly saga: string;
  readonly states?: readonly string[];
  readonly statuses?: readonly SagaStatus[];
  /** Only instances unchanged for at least this long, and not ended. */
  readonly idleMs?: number;
  /** Only instances that have claimed this key as one of many. */
  readonly key?: KeyRecord;
  /** Only those that have ended, or only those that have not. */
  readonly ended?: boolean;
  /** Newest first by default, by creation. */
  readonly order?: 'newest' | 'oldest';
  /** At most 1 000; default 50. */
  readonly limit?: number;
  /** `next` of the page before. A store throws `RangeError` for one that isn't. */
  readonly cursor?: string;
}

/** One page of a listing; `next` is the cursor of the following one, `null` on the last. */
export interface InstancePage {
  readonly items: readonly StoredInstance[];
  readonly next: string | null;
}
