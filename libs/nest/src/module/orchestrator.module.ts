import { Module, type ConfigurableModuleAsyncOptions, type DynamicModule } from '@nestjs/common';
import type { AnySaga, SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { featureProviders, repositoryTokens } from '../feature/saga-feature.providers.js';
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
 * Durable sagas and a message bus for a Nest application.
 *
 * The application module imports `forRoot` once; a module that owns a saga, or reads its instances, imports `forFeature`. Both give
 * their importer `MessageBus` and `OrchestratorHealth`.
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
   * Registers sagas and provides their repositories ({@link InjectSagaRepository}). Takes definitions, whose `@Saga()` class stands
   * in the providers of any module, and what `buildSaga` made. The same definition may be registered by several modules.
   *
   * @throws OrchestratorConfigurationError for anything else
   */
  static forFeature(sagas: readonly (AnySaga | SagaBehaviour)[]): DynamicModule {
    return {
      module: OrchestratorModule,
      imports: [OrchestratorCoreModule],
      providers: featureProviders(sagas),
      exports: [OrchestratorCoreModule, ...repositoryTokens(sagas)],
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
