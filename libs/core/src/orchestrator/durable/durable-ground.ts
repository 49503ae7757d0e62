import type { EventObject, Snapshot } from '@nestjs-orchestrator/statechart';
import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { Logger } from '../../ports/logger.js';
import type { DistributedStateStore } from './distributed-state-store.js';
import type { DurableInstance } from './durable-instance.js';
import type { DurableSurroundings } from './durable-surroundings.js';

/** What became of an event. */
export interface StepResult {
  /** A transition was taken. */
  readonly changed: boolean;
  /** The event had been handled before: nothing happened now. */
  readonly duplicate: boolean;
  readonly snapshot: Snapshot;
  /** What an action of the step gave to `reply`; undefined where none did, or the event was a duplicate. */
  readonly reply: unknown;
}

/** What an instance needs of the process around it. */
export interface DurableGround extends Pick<DurableSurroundings, 'deliver' | 'widen' | 'stepped'> {
  readonly store: DistributedStateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly faults: FaultPoints;
  /** Deliveries of an effect that may fail before it is given up. */
  readonly maxEffectAttempts: number;
  readonly effectRetryMs: number;
  /** Milliseconds that an action may take. */
  readonly actionTimeoutMs: number;
  /** What the config said with `emit`. */
  emitted(machine: string, event: EventObject): void;
  /** The machine has ended or is another's: it is not kept here any more. */
  closed(instance: DurableInstance): void;
}
