import type { ChannelGroup, MachineAddress, OrchestratorOptions } from '@nestjs-orchestrator/core';

/** What the suite decides about an orchestrator; the harness adds type and transports. */
export type FamilyOptions = Required<Pick<OrchestratorOptions, 'name' | 'endpoint'>> &
  Pick<OrchestratorOptions, 'requestTimeoutMs' | 'maxUnaccepted' | 'releaseTimeoutMs'>;

/** Orchestrators of one cluster that nobody else uses. */
export interface OpenedFamily {
  /** One more process of the cluster. In-process, which has no others, always gives the same one. */
  create(options: FamilyOptions): Promise<ChannelGroup>;
  /** What {@link serveFamily} of another process needs for the same cluster (its name, a folder, an address): plain JSON. Default: undefined. */
  readonly place?: unknown;
  /** How a machine of that id, in another process, is addressed. Default: by its id. Machines of joined clusters need more. */
  address?(id: string): string | MachineAddress;
  /** Ends an orchestrator of this process as its death does. Not needed where the harness starts processes: they are killed. */
  kill?(orchestrator: ChannelGroup): Promise<void>;
  /** Gives back what was made; called after all orchestrators were released. */
  close(): Promise<void>;
}

/** A line to another process; that of `child_process.fork` will do, or of a worker. */
export interface FamilyLine {
  /** Plain JSON. */
  post(message: unknown): void;
  /** Called once. */
  listen(listener: (message: unknown) => void): void;
}

/** Another process, which calls {@link serveFamily}. */
export interface FamilyProcess extends FamilyLine {
  /** Ends it without a chance to say anything (`SIGKILL`); settles when it has ended. */
  kill(): Promise<void>;
}

/** How the suite gets its orchestrators. */
export interface FamilyHarness {
  open(): Promise<OpenedFamily>;
  /**
   * Starts a process. With it every case has one orchestrator in this process, and all others in processes of their own. One that was not killed serves the
   * next case as well; whoever gave it ends it after the last one. Default: all orchestrators of a case are in this process.
   */
  start?(): FamilyProcess | Promise<FamilyProcess>;
  /** Real milliseconds after which something that must come has not come. Default: 60 000. */
  readonly patienceMs?: number;
}

/** What a type can be made to do decides which cases there are. */
export interface FamilyAbilities {
  /** There are several processes: false for `in-process`. Default: true. */
  readonly processes?: boolean;
  /** `OpenedFamily.kill` is there. Default: true where the harness starts processes, else false. */
  readonly kill?: boolean;
  /**
   * The processes `one` and `two` are in two clusters that a gateway joins: what belongs to a single cluster (its list of processes, unique ids, a
   * broadcast, being told of a lost process) is left out. Default: false.
   */
  readonly joined?: boolean;
}
