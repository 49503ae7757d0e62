import type { Clock } from '../ports/clock.js';
import type { FaultPoints } from '../ports/fault-points.js';
import type { IdSource, Random } from '../ports/ids.js';
import type { InstanceStore } from '../ports/instance-store.js';
import type { Logger } from '../ports/logger.js';
import type { StoredNamesCheck } from '../vocabulary/boot-check.js';

/** Settings of one node. All have defaults but the store. */
export interface HostOptions {
  readonly store: InstanceStore;
  readonly clock?: Clock;
  readonly ids?: IdSource;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly faults?: FaultPoints;
  /** Tenant of messages and reads that name none. Default `'default'`. */
  readonly defaultTenant?: string;
  /** Tenant of whoever calls right now, a request for example; goes before the default. Default: nobody knows. */
  readonly currentTenant?: () => string | undefined;
  /** How long this node's claims on work last without a sign of life, in milliseconds; renewed at a third of it. Default 10 000. */
  readonly leaseMs?: number;
  /** How often to look for work that no hint announced, in milliseconds. Default 1 000. */
  readonly pollIntervalMs?: number;
  /** How often messages that wait for an instance or a state are looked through for those past their time, in milliseconds. Default 30 000. */
  readonly sweepIntervalMs?: number;
  /** How long one run of a handler may take, in milliseconds. Default 5 000. */
  readonly handlerTimeoutMs?: number;
  /** How long one try of a compensation may take, in milliseconds. Default 30 000. */
  readonly compensationTimeoutMs?: number;
  /** Tries of one message before it becomes a dead letter. Default 10. */
  readonly maxAttempts?: number;
  /** Pause before the second try, in milliseconds; doubles with each further one up to 60 s, with jitter. Default 200. */
  readonly retryDelayMs?: number;
  /** Messages in work at the same time. Default 512. */
  readonly concurrency?: number;
  /**
   * `@Handles` methods that use `ctx.manager`, in work at the same time; each holds a connection of the store. Default 4. Those that don't count as any
   * message (`concurrency`), unless they have a limit of their own: `@Handles(Message, { concurrency: 2 })`.
   */
  readonly handlerConcurrency?: number;
  /** How long an ended instance remembers which messages it has seen, and handlers which they have handled, in milliseconds. Default 7 days. */
  readonly inboxRetentionMs?: number;
  /** How long dead letters that were replayed or discarded are kept, in milliseconds. Default 30 days. */
  readonly letterRetentionMs?: number;
  /** How long removed instances keep their start messages from starting others, in milliseconds. Default 90 days. */
  readonly tombstoneRetentionMs?: number;
  /**
   * What is done at the start about instances of this node's sagas whose version, state, compensation or timer it does not know. `'error'`: the
   * node does not start. `'warn'` (default): it says what to do, once it is up. `'off'`: it doesn't look. Instances of a newer version are never an error,
   * since nodes of that build continue them.
   */
  readonly check?: StoredNamesCheck;
  /**
   * `bus.publish` and `bus.send` try to have the message handled at once, where one saga of this node answers it: then making it durable and handling it
   * are one commit, and the promise settles with that. It becomes a row of the outbox as ever where that can't be: a delay, a request, another key than the
   * primary one, a gate, an instance that is busy or not known to this node, a race, a failure, a handler that takes longer than 20 ms. Default `false`.
   */
  readonly handleOnPublish?: boolean;
  /** Longest body, data or compensation input, in characters of JSON. Default 262 144. */
  readonly maxPayload?: number;
}
