import { analyzeSaga, sagaBehaviour, type SagaBehaviour } from '@nestjs-orchestrator/nest';
import { expect, it } from 'vitest';
import { claim, OrderSaga, packing, purchase } from './sagas-guide.js';

const sagas: readonly (readonly [string, SagaBehaviour])[] = [
  ['class', sagaBehaviour(OrderSaga)],
  ['builder', claim],
  ['steps', purchase],
  ['nested states', packing],
];

it.each(sagas)('the guide’s saga by %s would start', (_, behaviour) => {
  expect(analyzeSaga(behaviour).faults).toEqual([]);
});

// #region analysis
it('no state of the order saga leaves a refusal unanswered before the parcel is under way', () => {
  const { unanswered } = analyzeSaga(sagaBehaviour(OrderSaga));
  const refusals = unanswered.filter(({ event }) => event === 'order.cancelled');
  expect(refusals).toEqual([
    { state: 'underway', event: 'order.cancelled', policy: 'ignore', sometimes: false },
  ]);
});
// #endregion
