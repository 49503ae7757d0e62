import { OrchestratorError, type OrchestratorErrorOptions } from './orchestrator-error.js';

/** The transport can't be used here or now: no permission, no server, no room, a foreign file. The message says what to do. */
export class TransportUnavailableError extends OrchestratorError {
  readonly code = 'TRANSPORT_UNAVAILABLE';
  constructor(
    /** Kind of the transport: `shared-memory`, `named-pipe`. */
    readonly transport: string,
    /** What is wrong, and what to do, in sentences. */
    problem: string,
    options?: OrchestratorErrorOptions,
  ) {
    super(`Transport '${transport}': ${problem}`, options);
  }
}

/** The endpoint has left its cluster. */
export class TransportClosedError extends OrchestratorError {
  readonly code = 'TRANSPORT_CLOSED';
  constructor(
    readonly cluster: string,
    readonly endpoint: string,
  ) {
    super(`Endpoint '${endpoint}' has left cluster '${cluster}'. Join again to send.`);
  }
}

/** The name of the endpoint is held by a live process. */
export class EndpointTakenError extends OrchestratorError {
  readonly code = 'ENDPOINT_TAKEN';
  constructor(
    readonly cluster: string,
    readonly endpoint: string,
    /** Process id of the holder, where it is known. */
    readonly pid?: number,
  ) {
    super(
      `Endpoint '${endpoint}' of cluster '${cluster}' is held by a live process${pid === undefined ? '' : ` (${pid})`}. ` +
        `Give this process another name, or end that one.`,
    );
  }
}

/** The name is held by a live endpoint of the cluster. */
export class NameTakenError extends OrchestratorError {
  readonly code = 'NAME_TAKEN';
  constructor(
    readonly taken: string,
    /** Name of the endpoint that holds it. */
    readonly holder: string,
  ) {
    super(
      `'${taken}' is held by endpoint '${holder}' of this cluster. Names are unique in a cluster: choose another one.`,
    );
  }
}

/** A name is empty, or longer than the transport can hold. */
export class NameInvalidError extends OrchestratorError {
  readonly code = 'NAME_INVALID';
  constructor(
    readonly invalid: string,
    /** Bytes (UTF-8) that a name may have. */
    readonly maxBytes: number,
  ) {
    const bytes = new TextEncoder().encode(invalid).length;
    super(
      `A name must have 1 to ${maxBytes} bytes; '${invalid.slice(0, 40)}${invalid.length > 40 ? '…' : ''}' has ${bytes}. Choose a shorter one.`,
    );
  }
}

/** A registry of the cluster has no free place. */
export class RegistryFullError extends OrchestratorError {
  readonly code = 'REGISTRY_FULL';
  constructor(
    readonly registry: 'endpoints' | 'names',
    /** Places that there are. */
    readonly places: number,
    /** The option that would make more, for example `maxProcesses`. */
    readonly option: string,
  ) {
    super(
      `All ${places} places for ${registry} of this cluster are taken. Raise '${option}', the same in every process of it.`,
    );
  }
}

/** The frame is larger than the transport can carry. */
export class FrameTooLargeError extends OrchestratorError {
  readonly code = 'FRAME_TOO_LARGE';
  constructor(
    readonly bytes: number,
    readonly maxBytes: number,
    /** The option that would let it pass. */
    readonly option: string,
  ) {
    super(`A frame of ${bytes} bytes is above the limit of ${maxBytes}. Send less, or raise '${option}'.`);
  }
}

/** The endpoint is gone, or is another incarnation by now; what was sent was not taken. */
export class PeerLostError extends OrchestratorError {
  readonly code = 'PEER_LOST';
  override readonly retryable = true;
  constructor(readonly endpoint: string) {
    super(`Endpoint '${endpoint}' is gone. Look its names up again: another process may hold them.`);
  }
}

/** A partition holds as many frames as it may, or too many of this endpoint wait for the server. Nothing was taken. */
export class PartitionFullError extends OrchestratorError {
  readonly code = 'PARTITION_FULL';
  override readonly retryable = true;
  constructor(
    /** The name that was published to. */
    readonly target: string,
    readonly partition: number,
    /** Frames that there is room for. */
    readonly limit: number,
    /** The option that would make more room. */
    readonly option: string,
  ) {
    super(
      `Partition ${partition}, which '${target.slice(0, 80)}' falls into, has ${limit} frames waiting, the most it may. Send again when its owner has ` +
        `caught up; if that takes long, start more processes or raise '${option}'.`,
    );
  }
}
