import { OrchestratorError } from '@nestjs-orchestrator/core';

/** Nobody serves a service at present. */
export class ServiceUnavailableError extends OrchestratorError {
  readonly code = 'SERVICE_UNAVAILABLE';
  override readonly retryable = true;
  constructor(
    readonly service: string,
    transport: string,
  ) {
    super(
      `Nobody serves '${service}' over '${transport}'. Start its process, and see that both have the same transport options.`,
    );
  }
}

/** The server was lost before it answered; whether it did the work is not known. */
export class ServerLostError extends OrchestratorError {
  readonly code = 'SERVER_LOST';
  constructor(
    readonly service: string,
    /** Name of the server's endpoint. */
    readonly endpoint: string,
  ) {
    super(
      `Endpoint '${endpoint}' of service '${service}' is gone before it answered. It may have done the work: ask, before you send the same again.`,
    );
  }
}

/** The client was closed before the answer came. */
export class ClientClosedError extends OrchestratorError {
  readonly code = 'CLIENT_CLOSED';
  constructor(readonly service: string) {
    super(`The client of service '${service}' was closed before the answer came.`);
  }
}

/** No handler has done its work on an event: there is none, or it failed. */
export class EventNotHandledError extends OrchestratorError {
  readonly code = 'EVENT_NOT_HANDLED';
  constructor(
    readonly service: string,
    /** What the server says. */
    readonly reason: string,
  ) {
    super(`Service '${service}' did not handle an event: ${reason}`);
  }
}

/** A packet did not come whole: the two processes run different builds, or frames of it were lost. Whether the work was done is not known. */
export class PacketBrokenError extends OrchestratorError {
  readonly code = 'PACKET_BROKEN';
  constructor(
    readonly service: string,
    /** Name of the server's endpoint. */
    readonly endpoint: string,
  ) {
    super(
      `A packet between this process and endpoint '${endpoint}' of service '${service}' did not come whole. Run the same version in both; ask what was done, before you send the same again.`,
    );
  }
}
