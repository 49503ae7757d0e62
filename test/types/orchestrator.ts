/** Machines in the orchestrator: events, names and states are those of the definition. Nothing here runs. */
import { defineMachine, machineTypes } from '@nestjs-orchestrator/statechart';
import type {
  ActionContext,
  ActionNameOf,
  ActivityContext,
  ActivityNameOf,
  DelayNameOf,
  GuardNameOf,
  MachineRef,
  Orchestrator,
} from '@nestjs-orchestrator/core';

declare const orchestrator: Orchestrator;

interface Door {
  readonly opened: number;
}
const { define } = machineTypes<{
  context: Door;
  events: { type: 'OPEN'; by: string } | { type: 'CLOSE' };
}>();
const door = define({
  id: 'door',
  initial: 'shut',
  context: { opened: 0 },
  states: {
    shut: {
      entry: 'ring',
      on: { OPEN: { target: 'open', guard: 'isFree', actions: ['count', { type: 'tell' }] } },
    },
    open: {
      after: { grace: 'shut', 5000: 'shut' },
      invoke: { src: 'poll', onDone: { actions: 'polled' } },
      states: { wide: {} },
      on: { CLOSE: 'shut' },
    },
  },
});
type Names<N> = { readonly [K in N & string]: true };
export const actions: Names<ActionNameOf<typeof door>> = {
  ring: true,
  count: true,
  tell: true,
  polled: true,
};
export const guards: Names<GuardNameOf<typeof door>> = { isFree: true };
export const activities: Names<ActivityNameOf<typeof door>> = { poll: true };
export const delays: Names<DelayNameOf<typeof door>> = { grace: true };
// @ts-expect-error no such action
export const noAction: ActionNameOf<typeof door> = 'wring';
// @ts-expect-error no such guard
export const noGuard: GuardNameOf<typeof door> = 'isfree';
// @ts-expect-error no such activity
export const noActivity: ActivityNameOf<typeof door> = 'pole';
// @ts-expect-error no such delay; a number needs none
export const noDelay: DelayNameOf<typeof door> = '5000';

const doors = orchestrator.register(door, {
  actions: {
    ring(ctx) {
      ctx.data.opened.toFixed();
      ctx.sendAfter('5s', { type: 'CLOSE' }, { id: 'shut' });
      // @ts-expect-error no duration
      ctx.sendAfter('5 seconds', { type: 'CLOSE' });
      // @ts-expect-error no such event
      ctx.sendSelf({ type: 'SLAM' });
      // @ts-expect-error read only
      ctx.data.opened = 1;
    },
    async tell(ctx: ActionContext<typeof door>) {
      if (ctx.event.type === 'OPEN') ctx.event.by.trim();
    },
  },
  guards: { isFree: ({ context }) => context.opened < 10 },
  activities: {
    poll: async (ctx: ActivityContext<typeof door, { url: string }>) => fetch(ctx.input.url, ctx),
  },
  delays: { grace: ({ context }) => context.opened * 1_000 },
});
// @ts-expect-error misspelt
orchestrator.register(door, { actions: { wring() {} } });
// @ts-expect-error a guard is synchronous
orchestrator.register(door, { guards: { isFree: async () => true } });

export async function use(): Promise<void> {
  const ref: MachineRef<typeof door> = await doors.spawn({ id: 'front' });
  await ref.send({ type: 'OPEN', by: 'me' });
  // @ts-expect-error OPEN says by whom
  await ref.send({ type: 'OPEN' });
  // @ts-expect-error no such event
  ref.trySend({ type: 'SLAM' });
  const { snapshot, changed } = await ref.request({ type: 'CLOSE' }, { timeoutMs: 100 });
  if (changed) snapshot.context.opened.toFixed();
  await ref.waitFor('open.wide');
  // @ts-expect-error no such state
  await ref.waitFor('opne');
  await ref.waitFor((at) => at.context.opened > 3);
  const untyped: MachineRef = orchestrator.ref('front');
  await untyped.send({ type: 'ANYTHING' });
  const typed = orchestrator.ref(door, { group: 'house', machine: 'front' });
  // @ts-expect-error no such event
  await typed.send({ type: 'SLAM' });
  await (ref as MachineRef).send({ type: 'ANYTHING' });
}

const literal = defineMachine({ id: 'light', initial: 'off', states: { off: { on: { ON: 'on' } }, on: {} } });
const lights = orchestrator.register(literal);
export async function light(): Promise<void> {
  const ref = await lights.spawn();
  await ref.send({ type: 'ON' });
  // @ts-expect-error no such event
  await ref.send({ type: 'OFF' });
}

const fromJson = defineMachine(JSON.parse('{}') as object);
orchestrator.register(fromJson, { actions: { whatever() {} }, guards: { some: () => true } });
