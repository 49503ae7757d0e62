import { OrchestratorError } from '../../errors/orchestrator-error.js';
import { quote } from '../errors.js';

/**
 * The process that had taken the event is gone, and did not say that it was done with it: its step may have been adopted or not.
 */
export class OutcomeUnknownError extends OrchestratorError {
  readonly code = 'OUTCOME_UNKNOWN';
  constructor(
    /** Address of the machine. */
    readonly machine: string,
    readonly event: string,
    /** Name of the endpoint that is gone. */
    readonly endpoint: string,
  ) {
    super(
      `What became of ${quote(event)} for machine ${quote(machine)} is unknown: process ${quote(endpoint)} is gone, and had not said that it was done. ` +
        'Ask the machine where it is now before you send it again.',
    );
  }
}

/** The wished type of transport is not among those that were given, or several were given and none is wished for. */
export class TransportTypeError extends OrchestratorError {
  readonly code = 'TRANSPORT_TYPE';
  constructor(
    /** Empty where none is wished for. */
    readonly type: string,
    /** Types that were given, and `in-process`. */
    readonly given: readonly string[],
    /** Where the wish stood: an option, or a variable of the environment. */
    readonly source: string,
  ) {
    const wish =
      type === '' ? `${source} says which transport to use` : `${source} asks for transport ${quote(type)}`;
    super(
      `${wish}; given are ${given.map(quote).join(', ')}. Choose one of them by option 'type' or variable 'ORCHESTRATOR_TYPE', or add it to 'transports'.`,
    );
  }
}

/** A text that is no address of a machine. */
export class MachineAddressError extends OrchestratorError {
  readonly code = 'MACHINE_ADDRESS';
  constructor(readonly address: string) {
    super(
      `${quote(address)} is no address of a machine: it must be 'cluster/group/machine', cluster and group of 1 to 100 characters without '/', '#' and control characters, machine without '#'.`,
    );
  }
}

/**
 * Why a cluster can't be reached: nothing joins it to the own one (any more); a gateway stands by and has not taken over yet; or the way would lead through a
 * gateway that it has come through.
 */
export type UnreachableReason = 'no-gateway' | 'taking-over' | 'loop';

const ADVICE: Readonly<Record<UnreachableReason, string>> = {
  'no-gateway':
    'Join the clusters by a process with a gateway, or leave the cluster out to mean the own one.',
  'taking-over': 'A gateway stands by, and has not taken over yet: send again.',
  loop: 'What came through a gateway never leaves through one: name a cluster that is joined to the own one, or to its gateway’s.',
};

const ALL_GONE = 'The gateways that joined them are gone, and none stands by: start one, and send again.';

/** There is no way to that cluster from here, or not at the moment. */
export class ClusterUnreachableError extends OrchestratorError {
  readonly code = 'CLUSTER_UNREACHABLE';
  override readonly retryable: boolean;
  constructor(
    readonly cluster: string,
    /** The own cluster; undefined: this orchestrator belongs to none. */
    readonly from: string | undefined,
    readonly reason: UnreachableReason = 'no-gateway',
    /** There was one before, which may be started again. */
    wasThere = false,
  ) {
    const isGone = reason === 'no-gateway' && wasThere;
    super(
      `Cluster ${quote(cluster)} can't be reached from ${from === undefined ? 'an orchestrator of type in-process' : `cluster ${quote(from)}`}. ${isGone ? ALL_GONE : ADVICE[reason]}`,
    );
    this.retryable = reason === 'taking-over' || isGone;
  }
}

/** Something that only a machine in the own process can do was asked of one in another process. */
export class RemoteMachineError extends OrchestratorError {
  readonly code = 'REMOTE_MACHINE';
  constructor(
    readonly machine: string,
    /** What was asked, for example `snapshot()`. */
    readonly verb: string,
    /** What to do instead, as a sentence. */
    readonly advice: string,
  ) {
    super(`${verb} can't be asked of machine ${quote(machine)}, which is in another process. ${advice}`);
  }
}

/** The other process speaks another version of the protocol, or something else; nothing more is sent to it. */
export class PeerProtocolError extends OrchestratorError {
  readonly code = 'PEER_PROTOCOL';
  constructor(
    readonly endpoint: string,
    /** What is wrong, as a sentence. */
    readonly problem: string,
  ) {
    super(
      `Process ${quote(endpoint)} can't be talked to: ${problem} Run one version of @nestjs-orchestrator/core in all processes of a cluster.`,
    );
  }
}

/** A failure of another process whose class is not known here; `code` and `name` are those of the original. */
export class RemoteFailureError extends OrchestratorError {
  readonly code: string;
  override readonly retryable: boolean;
  constructor(
    message: string,
    original: {
      readonly code: string;
      readonly name: string;
      readonly retryable: boolean;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: original.cause });
    this.code = original.code;
    this.retryable = original.retryable;
    this.name = original.name;
  }
}
