import type { ActionSpec } from '../chart/action-spec.js';
import type { GuardSpec } from '../chart/guard-spec.js';
import type { Node, Transition } from '../chart/node.js';
import { type Machine, runtimeOf } from '../machine.js';

/** An XState v5 config as plain JSON. */
export interface XStateJson {
  readonly [key: string]: unknown;
}

/**
 * A machine as an XState v5 config of plain JSON, which `defineMachine` and, but for built-in actions with arguments, XState read back.
 * Inline functions stand by their path; bind them under it to get the same machine.
 */
export function toXStateJson(machine: Machine): XStateJson {
  const { chart } = runtimeOf(machine);
  const { context, version, semantics } = chart;
  return {
    ...nodeJson(chart.root),
    ...(version === undefined ? {} : { version }),
    ...(context === undefined || typeof context === 'function' ? {} : { context }),
    ...(semantics === 'scxml' ? { options: { semantics } } : {}),
  };
}

function nodeJson(node: Node): XStateJson {
  const children = [...node.byKey.values()];
  return {
    ...(node.parent === null || node.id !== node.trail ? { id: node.id } : {}),
    ...typeJson(node),
    ...filled('entry', node.entry.map(actionJson)),
    ...filled('exit', node.exit.map(actionJson)),
    ...transitionsJson(node),
    ...filled('invoke', invokesJson(node)),
    ...filled('tags', node.tags),
    ...describedJson(node),
    ...(children.length === 0
      ? {}
      : { states: Object.fromEntries(children.map((child) => [child.key, nodeJson(child)])) }),
  };
}

function typeJson(node: Node): XStateJson {
  if (node.type === 'parallel' || node.type === 'final') return { type: node.type };
  if (node.type === 'history') {
    const target = node.historyDefault === null ? {} : { target: targetsJson(node.historyDefault) };
    return {
      type: 'history',
      history: node.history,
      ...target,
      ...filled('actions', node.historyActions.map(actionJson)),
    };
  }
  if (node.initial === null) return {};
  const { targets, actions } = node.initial;
  const [only] = targets;
  const plain = targets.length === 1 && only?.parent === node && actions.length === 0;
  return {
    initial: plain
      ? only.key
      : { target: initialTarget(node, targets), ...filled('actions', actions.map(actionJson)) },
  };
}

/** XState's `initial` names one child; deeper or several ones are ours. */
function initialTarget(node: Node, targets: readonly Node[]): unknown {
  const [only] = targets;
  return targets.length === 1 && only?.parent === node ? only.key : targetsJson(targets);
}

/** Groups what reading spread over one map of transitions: `on`, `onDone`, `after`, `always`; outcomes stand with their invoke. */
function transitionsJson(node: Node): XStateJson {
  const done = [...node.transitions.keys()].find((type) => DONE.has(type.replace(node.id, ''))) ?? '';
  const timers = new Map(node.afters.map(({ id, delay }) => [id, String(delay)]));
  const outcomes = new Set(node.invokes.flatMap(({ id }) => OUTCOMES.map(([, prefix]) => prefix + id)));
  const on: [string, unknown][] = [];
  const after: [string, unknown][] = [];
  for (const [type, transitions] of node.transitions) {
    const delay = timers.get(type);
    if (delay !== undefined) after.push([delay, listJson(transitions)]);
    else if (type !== done && !outcomes.has(type)) on.push([type, listJson(transitions)]);
  }
  const finished = node.transitions.get(done);
  return {
    ...(on.length === 0 ? {} : { on: Object.fromEntries(on) }),
    ...(after.length === 0 ? {} : { after: Object.fromEntries(after) }),
    ...(finished === undefined ? {} : { onDone: listJson(finished) }),
    ...filled('always', node.always.map(transitionJson)),
  };
}

const DONE = new Set(['xstate.done.state.', 'done.state.']);

const OUTCOMES = [
  ['onDone', 'xstate.done.actor.'],
  ['onError', 'xstate.error.actor.'],
  ['onSnapshot', 'xstate.snapshot.'],
] as const;

function invokesJson(node: Node): unknown[] {
  return node.invokes.map(({ id, src, input, systemId, finalize }) => ({
    id,
    src,
    ...(input === undefined || typeof input.value === 'function' ? {} : { input: input.value }),
    ...(systemId === undefined ? {} : { systemId }),
    ...filled('finalize', finalize.map(actionJson)),
    ...Object.fromEntries(
      OUTCOMES.flatMap(([key, prefix]) => {
        const transitions = node.transitions.get(prefix + id);
        return transitions === undefined ? [] : [[key, listJson(transitions)]];
      }),
    ),
  }));
}

function describedJson({ meta, description, output }: Node): XStateJson {
  return {
    ...(meta === undefined ? {} : { meta }),
    ...(description === undefined ? {} : { description }),
    ...(output === undefined || typeof output.value === 'function' ? {} : { output: output.value }),
  };
}

function listJson(transitions: readonly Transition[]): unknown {
  return transitions.map(transitionJson);
}

function transitionJson({ targets, guard, actions, reenter, description, meta }: Transition): XStateJson {
  return {
    ...(targets === null ? {} : { target: targetsJson(targets) }),
    ...(guard === null ? {} : { guard: guardJson(guard) }),
    ...filled('actions', actions.map(actionJson)),
    ...(reenter ? { reenter } : {}),
    ...(description === undefined ? {} : { description }),
    ...(meta === undefined ? {} : { meta }),
  };
}

function targetsJson(targets: readonly Node[]): readonly string[] {
  return targets.map(({ id }) => `#${id}`);
}

function actionJson(action: ActionSpec): unknown {
  switch (action.kind) {
    case 'inline':
      return { type: action.path };
    case 'named':
      return { type: action.name, ...(isData(action.params) ? { params: action.params } : {}) };
    case 'builtin':
      return { type: `xstate.${action.type}`, ...dataOf(action.fields) };
  }
}

function guardJson(guard: GuardSpec): unknown {
  switch (guard.kind) {
    case 'inline':
      return { type: guard.path };
    case 'named':
      return { type: guard.name, ...(isData(guard.params) ? { params: guard.params } : {}) };
    case 'stateIn':
      return { type: 'xstate.stateIn', stateValue: guard.value };
    case 'and':
    case 'or':
    case 'not':
      return { type: `xstate.${guard.kind}`, guards: guard.guards.map(guardJson) };
  }
}

/** Functions have no JSON; a built-in action keeps its other arguments. */
function dataOf(fields: object): XStateJson {
  const skipped = new Set(['type', 'resolve', 'execute', 'retryResolve']);
  return Object.fromEntries(
    Object.entries(fields).filter(([key, value]) => !skipped.has(key) && isData(value)),
  );
}

function isData(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function';
}

function filled(key: string, list: readonly unknown[]): XStateJson {
  return list.length === 0 ? {} : { [key]: list };
}
