import type { OutcomeWork } from '../activity/activity-work.js';
import type { Outgoing } from '../../handling/recording.js';
import type { MessageWork } from '../../bus/outgoing.js';
import type { Envelope } from '../../message/envelope.js';
import type { OperatorCause } from '../operator/operator-cause.js';
import type { Consumption } from '../../ports/instance-store.js';
import type { KeyRecord, WorkKey } from '../../ports/records.js';

/** Payload of a work row whose destination is a saga. */
export type SagaWork =
  /**
   * `to`: primary key of the one instance it is for, where its own key has many. `replay`: it was given up while it waited, so that the instance
   * remembers it as deferred.
   */
  | (MessageWork & { readonly to?: KeyRecord; readonly replay?: boolean })
  | OutcomeWork
  /**
   * Somebody must look at the instance's open deliveries. `held`: it was held, at that instant by the clock of a node, since no definition continued its version;
   * somebody who can must let it go on.
   */
  | {
      readonly kind: 'wake';
      readonly tenant: string;
      readonly key: KeyRecord;
      readonly held?: { readonly since: number };
    };

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
  /** Which time it is begun; default 0. */
  readonly round?: number;
  /** Its answer should have come by now. */
  readonly expired?: boolean;
}

/** What came to one instance, with everything that is needed to handle it and to answer its source. */
export interface Stimulus {
  readonly tenant: string;
  readonly key: KeyRecord;
  readonly messageId: string;
  /** The outbox row it came from, consumed by the commit. */
  readonly work: WorkKey | null;
  /** The message whose consumer answers with this one, which never was a row: noted as consumed by the commit, and its row with it. */
  readonly answers?: Consumption;
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
      /** It was given up while it waited, and comes again. */
      readonly replay?: boolean;
    }
  | {
      readonly kind: 'timer';
      readonly name: string;
      readonly token: string;
      readonly payload: TimerPayload;
      readonly dueAt: number;
    }
  | ActivityCause
  | UndoneCause
  | OperatorCause;

/** What a machine may answer. */
export type MessageOrTimer = Extract<Cause, { kind: 'message' | 'timer' | 'activity' }>;

/** What became of one round of an undo step. */
export interface UndoneCause {
  readonly kind: 'undone';
  readonly no: number;
  readonly name: string;
  readonly round: number;
  /** Why it failed for good. */
  readonly error?: string;
  /** Commands that it sends. */
  readonly outgoing: readonly Outgoing[];
  /** Its answer has not come in time. */
  readonly expired: boolean;
  /** This build could not run it at all: nothing was done. */
  readonly unrun?: boolean;
}
