import type { OutcomeWork } from '../activity/activity-work.js';
import type { MessageWork } from '../../bus/outgoing.js';
import type { Envelope } from '../../message/envelope.js';
import type { KeyRecord, WorkKey } from '../../ports/records.js';

/** Payload of a work row whose destination is a saga. */
export type SagaWork =
  /** `to`: primary key of the one instance it is for, where its own key has many. */
  | (MessageWork & { readonly to?: KeyRecord })
  | OutcomeWork
  /** Somebody must look at the instance's open deliveries. */
  | { readonly kind: 'wake'; readonly tenant: string; readonly key: KeyRecord };

/** Payload of a timer. */
export interface TimerPayload {
  readonly key: KeyRecord;
  /** The state node whose stay this timer belongs to, if it belongs to one. */
  readonly node?: string;
  readonly epoch?: number;
  /** Name of the schedule that a handler has set, if it is one. */
  readonly schedule?: string;
  /** The engine's event. */
  readonly event: string;
  /** For history: `after 24h`. */
  readonly label: string;
}

/** Payload of a work row that runs one undo step. */
export interface UndoWork {
  readonly key: KeyRecord;
  readonly instance: string;
  readonly definitionVersion: number;
  readonly no: number;
  readonly name: string;
  readonly input: unknown;
}

/** What came to one instance, with everything that is needed to handle it and to answer its source. */
export interface Stimulus {
  readonly tenant: string;
  readonly key: KeyRecord;
  readonly messageId: string;
  /** The outbox row it came from, consumed by the commit. */
  readonly work: WorkKey | null;
  readonly cause: Cause;
}

/** An activity has ended for good. */
export interface ActivityCause extends Omit<OutcomeWork, 'kind' | 'key'> {
  readonly kind: 'activity';
}

export type Cause =
  | {
      readonly kind: 'message';
      readonly envelope: Envelope;
      readonly message: object;
      readonly delivery: boolean;
    }
  | {
      readonly kind: 'timer';
      readonly name: string;
      readonly token: string;
      readonly payload: TimerPayload;
      readonly dueAt: number;
    }
  | ActivityCause
  | { readonly kind: 'undone'; readonly no: number; readonly name: string; readonly error?: string };
