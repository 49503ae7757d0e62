import type { PeerState } from '../ports/transport.js';
import type { EventObject, Snapshot } from '@nestjs-orchestrator/statechart';

/** Which machine something happened to. */
export interface RecordedMachine {
  /** Id of the definition. */
  readonly definition: string;
  readonly id: string;
  readonly scopedId: string;
}

/**
 * Why a machine ended: it reached its final state, failed for good, was stopped, its parent ended, its group was released, or another process has taken its id
 * while this one counted as dead (`displaced`).
 */
export type StopReason = 'done' | 'error' | 'stopped' | 'parent' | 'released' | 'displaced';

/**
 * What failed: a step (nothing of it was adopted); a send of an adopted step that reached nobody; an activity after its state was
 * left; the start of a machine; the clean-up of an activity.
 */
export type FailureKind = 'step' | 'undeliverable' | 'late-activity' | 'start' | 'cleanup';

/**
 * What held the event loop: an action, or the part of it before its first `await`; an activity likewise; a guard; or an expression: an assign, a computed delay, params or an
 * input.
 */
export type SlowPart = 'action' | 'activity' | 'guard' | 'expression';

/** What subscribers are told of one machine of the own process. */
export type MachineRecord =
  | { readonly type: 'spawned'; readonly machine: RecordedMachine; readonly snapshot: Snapshot }
  | {
      readonly type: 'transition';
      readonly machine: RecordedMachine;
      readonly event: EventObject;
      readonly before: Snapshot;
      readonly after: Snapshot;
    }
  | {
      readonly type: 'failure';
      readonly machine: RecordedMachine;
      readonly kind: FailureKind;
      readonly event: EventObject | undefined;
      readonly error: unknown;
    }
  | { readonly type: 'emitted'; readonly machine: RecordedMachine; readonly event: EventObject }
  /** A function held the event loop for longer than `slowStepMs`. */
  | {
      readonly type: 'slow';
      readonly machine: RecordedMachine;
      /** undefined for an activity. */
      readonly event: EventObject | undefined;
      readonly part: SlowPart;
      /** Of what has no name of its own: its path in the config. */
      readonly name: string;
      readonly durationMs: number;
    }
  | {
      readonly type: 'stopped';
      readonly machine: RecordedMachine;
      readonly reason: StopReason;
      readonly snapshot: Snapshot | undefined;
    };

/** What subscribers are told of the cluster that the group belongs to. */
export type ClusterRecord =
  /** An event for a machine of another process that nobody waits for any more was not taken, or nobody knows what became of it. */
  | {
      readonly type: 'undelivered';
      readonly to: string;
      readonly event: EventObject;
      readonly error: unknown;
    }
  /** Another process of the cluster came, stands still, goes on, or is lost. */
  | {
      readonly type: 'peer';
      readonly endpoint: string;
      readonly incarnation: string;
      readonly state: PeerState;
      /** Process id, where the transport knows it. */
      readonly pid: number | undefined;
    }
  /**
   * Others have declared this process dead, since it stood still for too long, or it has given up its place since the server forgot frames; or it has joined again, as another incarnation. `displaced`: ids of its machines that were
   * taken meanwhile; those machines have ended.
   */
  | {
      readonly type: 'membership';
      readonly state: 'lost';
      readonly endpoint: string;
      readonly incarnation: string;
    }
  | {
      readonly type: 'membership';
      readonly state: 'regained';
      readonly endpoint: string;
      readonly incarnation: string;
      readonly displaced: readonly string[];
    }
  /** A process has become the way to other clusters, or is it no longer. */
  | {
      readonly type: 'gateway';
      readonly state: 'active' | 'lost';
      /** The local cluster that it is the gateway of, and the distributed one. */
      readonly cluster: string;
      readonly joins: string;
      /** Grows with each gateway of the cluster. */
      readonly epoch: number;
      readonly endpoint: string;
    }
  /** Of a process that is a gateway: what it lists in the distributed cluster is what there is. */
  | { readonly type: 'published'; readonly joins: string; readonly names: number };

/** What subscribers are told. Those of machines have a `machine`. */
export type OrchestratorRecord = MachineRecord | ClusterRecord;

/** The word by which a record is known. */
export type RecordType = OrchestratorRecord['type'];

/** Which records a subscriber wants. */
export interface SubscribeOptions {
  /** Default: all. Records that nobody wants are not made. */
  readonly only?: readonly RecordType[];
  /** Records that wait for a reader; above, the oldest is dropped and counted as lost. Default: 1 024. Of iterables only. */
  readonly buffer?: number;
}

/** Records one after the other. Leaving a `for await` ends the subscription. */
export interface RecordStream extends AsyncIterableIterator<OrchestratorRecord> {
  /** Records dropped since the reader was too slow. */
  readonly lost: number;
  /** Ends it; records that wait are still given out. */
  close(): void;
}
