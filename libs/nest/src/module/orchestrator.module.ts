import { Module, type ConfigurableModuleAsyncOptions, type DynamicModule } from '@nestjs/common';
import {
  featureProviders,
  featureTokens,
  type FeatureEntry,
  type FeatureOptions,
} from '../feature/feature.providers.js';
import { OrchestratorCoreModule } from './orchestrator-core.module.js';
import { OrchestratorOptionsModule } from './orchestrator-options.module.js';
import { NamedResilienceModule } from '../resilience/named-resilience.module.js';
import type { ResilienceNames, ResilienceOptions } from '../resilience/resilience-options.js';
import type {
  OrchestratorModuleAsyncExtras,
  OrchestratorModuleExtras,
  OrchestratorModuleOptions,
} from './orchestrator-options.js';
import { OrchestratorRuntimeModule } from './orchestrator-runtime.module.js';

/**
 * Durable sagas, machines and a message bus for a Nest application.
 *
 * The application module imports `forRoot` once; a module that owns a saga, or reads its instances, imports `forFeature`. Both give
 * their importer `MessageBus`, `Orchestrator` and `OrchestratorHealth`.
 */
@Module({})
export class OrchestratorModule {
  /** Configures the node. Without options everything lives in memory. */
  static forRoot(options: OrchestratorModuleOptions & OrchestratorModuleExtras = {}): DynamicModule {
    const { isGlobal, ...rest } = options;
    return root(OrchestratorOptionsModule.forRoot(rest), namesOf(options.resilience), isGlobal);
  }

  /** As {@link forRoot}, with options made from other providers. */
  static forRootAsync(
    options: ConfigurableModuleAsyncOptions<OrchestratorModuleOptions> & OrchestratorModuleAsyncExtras,
  ): DynamicModule {
    const { isGlobal, provides = {}, ...rest } = options;
    return root(OrchestratorOptionsModule.forRootAsync(rest), provides, isGlobal);
  }

  /**
   * Registers sagas and machines, and provides their repositories ({@link InjectSagaRepository}) and handles ({@link InjectMachine}). Takes
   * definitions, whose `@Saga()` or `@Machine()` class stands in the providers of any module, and what `buildSaga` made. The same definition may
   * be registered by several modules. Declares the channel group of its options for {@link InjectChannelGroup}.
   *
   * @throws OrchestratorConfigurationError for anything else
   */
  static forFeature(entries: readonly FeatureEntry[], options: FeatureOptions = {}): DynamicModule {
    return {
      module: OrchestratorModule,
      imports: [OrchestratorCoreModule],
      providers: featureProviders(entries, options),
      exports: [OrchestratorCoreModule, ...featureTokens(entries, options)],
    };
  }
}

function namesOf({ breakers = {}, limiters = {} }: ResilienceOptions = {}): ResilienceNames {
  return { breakers: Object.keys(breakers), limiters: Object.keys(limiters) };
}

function root(options: DynamicModule, names: ResilienceNames, isGlobal = false): DynamicModule {
  return {
    module: OrchestratorModule,
    global: isGlobal,
    imports: [
      OrchestratorCoreModule,
      OrchestratorRuntimeModule.with(options, names),
      NamedResilienceModule.with(names),
    ],
    exports: [OrchestratorCoreModule],
  };
}
