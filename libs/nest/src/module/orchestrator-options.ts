import type { HostOptions } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore, Logger } from '@nestjs-orchestrator/core/ports';
import type { ApplicationTransport, MachineOptions } from '../machine/machine-runtime.js';
import type { TenantResolver } from '../tenancy/tenant-source.js';
import type { ResilienceNames, ResilienceOptions } from '../resilience/resilience-options.js';

/** What `OrchestratorModule.forRoot()` is given; everything has a default. */
export interface OrchestratorModuleOptions extends Omit<
  HostOptions,
  'store' | 'logger' | 'defaultTenant' | 'currentTenant'
> {
  /**
   * Where sagas and messages are kept, for example `typeormStore(dataSource)`. Default: in the memory of this process, where they are
   * lost at its end; a warning at boot says so.
   */
  readonly store?: InstanceStore;
  /**
   * Tenant of messages and reads that name none. Default `'default'`. A function is asked for each HTTP request and message of a Nest
   * microservice: what its handler does by `MessageBus` and repositories is that tenant's, and finds nothing of others. What it throws refuses the
   * request. Guards and middleware run before it is asked.
   */
  readonly tenant?: string | TenantResolver;
  /** Where the framework's log lines go. Default: the application's own Nest logger. */
  readonly logger?: Logger;
  /** Limiters, breakers, bulkheads and retry budgets by name. Default: none. */
  readonly resilience?: ResilienceOptions;
  /** How machines run, and limits of the application's channel groups. */
  readonly machines?: MachineOptions;
  /**
   * Joins the application's channel group to those of the same name in other processes: `type` picks one of `transports`, so does the variable
   * `ORCHESTRATOR_TYPE`. The group is joined when the application initialises and leaves when it shuts down, after what was under way has ended.
   * `groups` names those of `forFeature` that join as well. Default: the application's machines are alone.
   */
  readonly transport?: ApplicationTransport;
}

/** How the module itself is set up. */
export interface OrchestratorModuleExtras {
  /** Whether `MessageBus` and `OrchestratorHealth` can be injected anywhere without an import. Default `false`. */
  readonly isGlobal?: boolean;
}

/** How the module is set up whose options are made by other providers. */
export interface OrchestratorModuleAsyncExtras extends OrchestratorModuleExtras {
  /** Names in the `resilience` of the options that `@InjectRateLimiter` and `@InjectCircuitBreaker` ask for. Default: none. */
  readonly provides?: ResilienceNames;
}
