import { SagaDefinitionError, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { readSagaBehaviour } from './saga-class.accessor.js';
import { readSagaClass } from './saga.metadata.js';

/**
 * What the decorators of a saga class say, without an instance of it: for `analyzeSaga(sagaBehaviour(OrderSaga))` in a test or a script. Its
 * handlers are not to be run.
 *
 * @throws SagaDefinitionError for a class without `@Saga()`, and for what the compiler would have refused
 */
export function sagaBehaviour(target: new (...args: never[]) => object): SagaBehaviour {
  const definition = readSagaClass(target);
  if (definition === undefined) {
    const message = `has no @Saga(); pass the class that has it, not a subclass`;
    throw new SagaDefinitionError(target.name, [{ path: target.name, message }]);
  }
  return readSagaBehaviour(definition, target.prototype as object, target);
}
