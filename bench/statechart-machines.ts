import * as ours from '@nestjs-orchestrator/statechart';
import * as xstate from 'xstate';

/** One workload: the same config for both engines and events that keep it going round. */
export interface Workload {
  readonly name: string;
  readonly events: readonly { readonly type: string }[];
  config(creators: Creators): object;
}

/** What configs need of the engine they are for. */
export interface Creators {
  readonly assign: (assignment: (args: { context: { count: number } }) => object) => unknown;
}

const guard = ({ context }: { context: { count: number } }): boolean => context.count >= 0;
const counting = ({ assign }: Creators): unknown => assign(({ context }) => ({ count: context.count + 1 }));

export const workloads: readonly Workload[] = [
  {
    name: 'flat',
    events: ['NEXT', 'NEXT', 'NEXT'].map((type) => ({ type })),
    config: () => ({ id: 'flat', initial: 'a', context: { count: 0 }, states: ring('NEXT') }),
  },
  {
    name: 'flat with assign',
    events: ['NEXT', 'NEXT', 'NEXT'].map((type) => ({ type })),
    config: (creators) => ({
      id: 'flat',
      initial: 'a',
      context: { count: 0 },
      states: ring('NEXT', { actions: counting(creators) }),
    }),
  },
  {
    name: 'guarded',
    events: ['NEXT', 'NEXT', 'NEXT'].map((type) => ({ type })),
    config: () => ({ id: 'guarded', initial: 'a', context: { count: 0 }, states: ring('NEXT', { guard }) }),
  },
  {
    name: 'guarded with assign',
    events: ['NEXT', 'NEXT', 'NEXT'].map((type) => ({ type })),
    config: (creators) => ({
      id: 'guarded',
      initial: 'a',
      context: { count: 0 },
      states: ring('NEXT', { guard, actions: counting(creators) }),
    }),
  },
  {
    name: 'hierarchical, 5 deep',
    events: ['NEXT', 'NEXT', 'NEXT', 'UP'].map((type) => ({ type })),
    config: () => deep({}),
  },
  {
    name: 'hierarchical, 5 deep with assign',
    events: ['NEXT', 'NEXT', 'NEXT', 'UP'].map((type) => ({ type })),
    config: (creators) => deep({ actions: counting(creators) }),
  },
  {
    name: 'parallel, 4 regions',
    events: ['NEXT', 'NEXT', 'NEXT', 'ONE'].map((type) => ({ type })),
    config: () => parallel({}),
  },
  {
    name: 'parallel, 4 regions with assign',
    events: ['NEXT', 'NEXT', 'NEXT', 'ONE'].map((type) => ({ type })),
    config: (creators) => parallel({ actions: counting(creators) }),
  },
];

/** Three states in a circle. */
function ring(event: string, extra: object = {}): Record<string, object> {
  return {
    a: { on: { [event]: { target: 'b', ...extra } } },
    b: { on: { [event]: { target: 'c', ...extra } } },
    c: { on: { [event]: { target: 'a', ...extra } } },
  };
}

function deep(extra: object): object {
  let states: Record<string, object> = ring('NEXT', extra);
  for (let level = 4; level > 0; level--)
    states = { [`level${level}`]: { initial: Object.keys(states)[0], states } };
  const [top = ''] = Object.keys(states);
  return {
    id: 'deep',
    initial: top,
    context: { count: 0 },
    on: { UP: { target: `.${top}`, ...extra } },
    states,
  };
}

function parallel(extra: object): object {
  const region = (index: number): object => ({
    initial: 'a',
    states: ring('NEXT', extra),
    ...(index === 0 ? { on: { ONE: { target: '.a', ...extra } } } : {}),
  });
  const states = Object.fromEntries([0, 1, 2, 3].map((index) => [`r${index}`, region(index)]));
  return { id: 'parallel', type: 'parallel', context: { count: 0 }, states };
}

/** A ring of many states, to see whether their number matters. */
export function ringOf(size: number): object {
  const states = Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`s${index}`, { on: { NEXT: `s${(index + 1) % size}` } }]),
  );
  return { id: `ring${size}`, initial: 's0', states };
}

export function oursOf(workload: Workload): ours.Machine {
  return ours.defineMachine(workload.config({ assign: ours.assign }));
}

export function xstateOf(workload: Workload): xstate.AnyStateMachine {
  return xstate.createMachine(workload.config({ assign: xstate.assign }) as never);
}
