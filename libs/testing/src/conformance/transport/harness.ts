import type { Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';

/** A transport whose endpoints may stand in one process. */
export interface OpenedTransport {
  /** Names of two clusters that nobody else uses. */
  readonly clusters: readonly [string, string];
  /** For one endpoint; called once for each, so that each may have its own connection. */
  transport(): Transport;
  /**
   * Ends an endpoint as the death of its process does: it says nothing and answers nothing. Without it the cases of death are left out; a
   * transport whose endpoints can only die with their process tries them with child processes.
   */
  kill?(seat: TransportSeat): Promise<void>;
  /** Makes an endpoint stand still, as SIGSTOP does, and go on. Without them those cases are left out. */
  stall?(seat: TransportSeat): Promise<void>;
  resume?(seat: TransportSeat): Promise<void>;
  /** Gives back what was made; called after all endpoints have left. */
  close(): Promise<void>;
}

/** Places in the registries of a small cluster. */
export interface SmallRegistries {
  readonly endpoints: number;
  readonly names: number;
}

/** How the suite gets its transports. */
export interface TransportHarness {
  /** @param small where given: clusters with so many places, neither more nor fewer */
  open(small?: SmallRegistries): Promise<OpenedTransport>;
  /** Whether the registries have a limit. Default: true. */
  readonly limitedRegistries?: boolean;
  /** Real milliseconds after which something that must come has not come. Default: 60 000. */
  readonly patienceMs?: number;
}
