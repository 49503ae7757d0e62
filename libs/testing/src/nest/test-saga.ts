import type { ModuleMetadata, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { sagaBehaviour, type AnySaga } from '@nestjs-orchestrator/nest';
import { testSaga as testBehaviour, type SagaTest, type SagaTestOptions } from '../saga/saga-test.js';

/** Options of {@link testSaga}. */
export interface SagaClassTestOptions
  extends SagaTestOptions, Pick<ModuleMetadata, 'imports' | 'providers'> {}

/**
 * Puts a saga class on a bench: Nest makes it with the given providers, everything else is as for the behaviour in `testSaga` of
 * `@nestjs-orchestrator/testing`. No module of the framework is needed, and none may be among `imports`.
 *
 * ```ts
 * const t = await testSaga(OrderSaga, { providers: [{ provide: PaymentGateway, useValue: gateway }] });
 * await t.given(new OrderCreated({ orderId: 'o1', cents: 500 }));
 * t.expectState('awaitingPayment');
 * ```
 *
 * @throws SagaDefinitionError; and what Nest throws for a provider that is missing
 */
export async function testSaga(
  target: Type<object>,
  { imports = [], providers = [], ...options }: SagaClassTestOptions = {},
): Promise<SagaTest<AnySaga>> {
  const module = await Test.createTestingModule({ imports, providers: [...providers, target] }).compile();
  const instance: object = module.get(target);
  return testBehaviour(sagaBehaviour(target, instance), options);
}
