import { microstep, withContext, type Effect, type Snapshot } from '@nestjs-orchestrator/statechart';
// #region door
import { initialTransition, machineTypes, transition } from '@nestjs-orchestrator/statechart';

interface Door {
  readonly opened: number;
}
const { assign, define, guard } = machineTypes<{ context: Door; events: { type: 'OPEN' | 'CLOSE' } }>();

const door = define(
  {
    id: 'door',
    initial: 'shut',
    context: { opened: 0 },
    states: {
      shut: { on: { OPEN: { target: 'open', guard: 'isFree', actions: ['ring', 'count'] } } },
      open: { after: { 5000: 'shut' }, on: { CLOSE: 'shut' } },
    },
  },
  {
    guards: { isFree: guard(({ context }) => context.opened < 10) },
    actions: { ring: undefined, count: assign(({ context }) => ({ opened: context.opened + 1 })) },
  },
);

const { snapshot } = initialTransition(door);
const step = transition(door, snapshot, { type: 'OPEN' });
// step.changed  true
// step.effects  [{ type: 'action', name: 'ring' }, { type: 'after', node: 'door.open', epoch: 1, delay: 5000, … }]
// #endregion

async function handled<C>(
  snapshot: Snapshot<C>,
  event: { type: 'OPEN' | 'CLOSE' },
  runHandlers: (effects: readonly Effect[], context: C) => Promise<C>,
): Promise<Snapshot<C>> {
  // #region microstep
  let step = microstep(door, snapshot, event);
  do {
    const context = await runHandlers(step.effects, step.snapshot.context);
    step = microstep(door, withContext(step.snapshot, context), null);
  } while (step.changed);
  // #endregion
  return step.snapshot;
}

/** The door, opened by a runner that counts what it was asked to do. */
export const doorByMicrosteps = async () => {
  const asked: string[] = [];
  const { context } = await handled(snapshot, { type: 'OPEN' }, async (effects, before) => {
    asked.push(...effects.map(({ type }) => type));
    return before;
  });
  return { context, asked };
};

/** For the spec, which holds what the comment says to the truth. */
export const doorStep = step;
