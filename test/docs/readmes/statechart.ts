// #region door
import { defineMachine, initialTransition, transition } from '@nestjs-orchestrator/statechart';

const door = defineMachine({
  id: 'door',
  initial: 'closed',
  states: { closed: { on: { OPEN: 'open' } }, open: { on: { CLOSE: 'closed' } } },
});

const { snapshot } = initialTransition(door);
const step = transition(door, snapshot, { type: 'OPEN' }); // { snapshot, effects, changed }
// #endregion

export { step };
