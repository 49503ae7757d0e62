import { Inject } from '@nestjs/common';
import type { AnySaga } from '@nestjs-orchestrator/core/saga';

/** Token of the repository of a saga's instances. */
export function getSagaRepositoryToken(definition: AnySaga): symbol {
  return Symbol.for(`@nestjs-orchestrator/nest:saga-repository:${definition.name}@${definition.version}`);
}

/**
 * Injects the repository of a saga's instances; its module imports `OrchestratorModule.forFeature([definition])`.
 *
 * ```ts
 * constructor(@InjectSagaRepository(orderSaga) private readonly orders: SagaRepository<typeof orderSaga>) {}
 * ```
 */
export function InjectSagaRepository(definition: AnySaga): ParameterDecorator & PropertyDecorator {
  return Inject(getSagaRepositoryToken(definition));
}
