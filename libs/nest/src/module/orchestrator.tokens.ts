/** Token of the options given to `OrchestratorModule.forRoot()`. */
export const ORCHESTRATOR_OPTIONS = Symbol.for('@nestjs-orchestrator/nest:options');

/** Token of this application's node; for the framework's own providers. */
export const ORCHESTRATOR_HOST = Symbol.for('@nestjs-orchestrator/nest:host');

/** Token of the framework's logger; for the framework's own providers. */
export const ORCHESTRATOR_LOGGER = Symbol.for('@nestjs-orchestrator/nest:logger');

/** Token under which each way to another application stands. */
export const EGRESS = Symbol.for('@nestjs-orchestrator/nest:egress');

/** Token under which each `forFeature` module says what it was given. */
export const FEATURE = Symbol.for('@nestjs-orchestrator/nest:feature');

/** Token of the names of limiters and breakers that can be injected. */
export const RESILIENCE_NAMES = Symbol.for('@nestjs-orchestrator/nest:resilience-names');
