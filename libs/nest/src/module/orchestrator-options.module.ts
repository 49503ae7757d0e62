import { ConfigurableModuleBuilder, Global, Module } from '@nestjs/common';
import type { OrchestratorModuleOptions } from './orchestrator-options.js';
import { ORCHESTRATOR_OPTIONS } from './orchestrator.tokens.js';

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<OrchestratorModuleOptions>({
  optionsInjectionToken: ORCHESTRATOR_OPTIONS,
})
  .setClassMethodName('forRoot')
  .build();

/**
 * Carries the options of `forRoot` to the static core module. It alone is global: what it exports is a symbol that only the
 * framework asks for.
 */
@Global()
@Module({ exports: [ORCHESTRATOR_OPTIONS] })
export class OrchestratorOptionsModule extends ConfigurableModuleClass {}
