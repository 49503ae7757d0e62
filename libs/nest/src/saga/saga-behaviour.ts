import { SagaDefinitionError, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { readSagaBehaviour } from './saga-class.accessor.js';
import { readSagaClass } from './saga.metadata.js';

/**
 * What the decorators of a saga class say: for `analyzeSaga(sagaBehaviour(OrderSaga))` in a test or a script. Without an instance its handlers are
 * not to be run.
 *
 * @param instance an instance of the class, on which the handlers run
 * @throws SagaDefinitionError for a class without `@Saga()`, and for what the compiler would have refused
 */
export function sagaBehaviour(
  target: new (...args: never[]) => object,
  instance: object = target.prototype as object,
): SagaBehaviour {
  const definition = readSagaClass(target);
  if (definition === undefined) {
    const message = `has no @Saga(); pass the class that has it, not a subclass`;
    throw new SagaDefinitionError(target.name, [{ path: target.name, message }]);
  }
  return readSagaBehaviour(definition, instance, target);
}
