import type { ChannelGroup, MachineAddress, OrchestratorOptions } from '@nestjs-orchestrator/core';

/** What the suite decides about an orchestrator; the harness adds type and transports. */
export type FamilyOptions = Required<Pick<OrchestratorOptions, 'name' | 'endpoint'>> &
  Pick<OrchestratorOptions, 'requestTimeoutMs' | 'maxUnaccepted' | 'releaseTimeoutMs'>;

/** Orchestrators of one cluster that nobody else uses. */
export interface OpenedFamily {
  /** One more process of the cluster. In-process, which has no others, always gives the same one. */
  create(options: FamilyOptions): Promise<ChannelGroup>;
  /** How a machine of that id, in another process, is addressed. Default: by its id. Machines of joined clusters need more. */
  address?(id: string): string | MachineAddress;
  /** Ends a process as its death does. Without it those cases are left out. */
  kill?(orchestrator: ChannelGroup): Promise<void>;
  /** Gives back what was made; called after all orchestrators were released. */
  close(): Promise<void>;
}

/** How the suite gets its orchestrators. */
export interface FamilyHarness {
  open(): Promise<OpenedFamily>;
  /** Real milliseconds after which something that must come has not come. Default: 60 000. */
  readonly patienceMs?: number;
}

/** What a type can be made to do decides which cases there are. */
export interface FamilyAbilities {
  /** There are several processes: false for `in-process`. Default: true. */
  readonly processes?: boolean;
  /** `OpenedFamily.kill` is there. Default: false. */
  readonly kill?: boolean;
  /**
   * The processes `one` and `two` are in two clusters that a gateway joins: what belongs to a single cluster (its list of processes, unique ids, a
   * broadcast, being told of a lost process) is left out. Default: false.
   */
  readonly joined?: boolean;
}
