import type { GuardSpec } from '../chart/guard-spec.js';
import type { Node, Transition } from '../chart/node.js';
import { type Machine, runtimeOf } from '../machine.js';

/**
 * A machine as a Mermaid `stateDiagram-v2`. States carry their ids as labels, transitions what triggers, guards and follows them.
 */
export function toMermaid(machine: Machine): string {
  const { chart } = runtimeOf(machine);
  const lines = ['stateDiagram-v2', ...inside(chart.root, 1)];
  const own =
    chart.root.type === 'atomic'
      ? []
      : transitionsOf(chart.root).flatMap((transition) => arrows(transition, 1));
  return `${[...lines, ...own].join('\n')}\n`;
}

function inside(node: Node, depth: number): string[] {
  const children = [...node.byKey.values()];
  const initial = (node.initial?.targets ?? []).map((target) => line(depth, `[*] --> ${name(target)}`));
  const bodies = children.map((child) => body(child, depth));
  const moves = children.flatMap((child) =>
    transitionsOf(child).flatMap((transition) => arrows(transition, depth)),
  );
  return [...initial, ...separated(node, bodies, depth), ...moves];
}

/** Regions of a parallel state stand apart. */
function separated(node: Node, bodies: readonly string[][], depth: number): string[] {
  if (node.type !== 'parallel') return bodies.flat();
  return bodies.flatMap((lines, index) => (index === 0 ? lines : [line(depth, '--'), ...lines]));
}

function body(node: Node, depth: number): string[] {
  const label = line(depth, `state "${escapeLabel(node.key)}${historyMark(node)}" as ${name(node)}`);
  const nested =
    node.byKey.size === 0 ? [label] : [`${label} {`, ...inside(node, depth + 1), line(depth, '}')];
  return node.type === 'final' ? [...nested, line(depth, `${name(node)} --> [*]`)] : nested;
}

function historyMark(node: Node): string {
  if (node.type !== 'history') return '';
  return node.history === 'deep' ? ' (H*)' : ' (H)';
}

function transitionsOf(node: Node): readonly Transition[] {
  const fallback = (node.historyDefault ?? []).map((target) => historyMove(node, target));
  return [...[...node.transitions.values()].flat(), ...node.always, ...fallback];
}

function historyMove(source: Node, target: Node): Transition {
  const nothing = { guard: null, actions: [], reenter: false, description: undefined, meta: undefined };
  return {
    ...nothing,
    index: -1,
    order: -1,
    path: source.path,
    source,
    descriptor: 'default',
    targets: [target],
  };
}

function arrows(transition: Transition, depth: number): string[] {
  const targets = transition.targets ?? [transition.source];
  const text = labelOf(transition);
  return targets.map((target) =>
    line(depth, `${name(transition.source)} --> ${name(target)}${text === '' ? '' : ` : ${text}`}`),
  );
}

function labelOf({ descriptor, guard, actions, targets }: Transition): string {
  const parts = [
    descriptor === null ? '' : eventLabel(descriptor),
    guard === null ? '' : `[${guardLabel(guard)}]`,
  ];
  const does = actions.map((action) =>
    action.kind === 'named' ? action.name : action.kind === 'builtin' ? action.type : 'function',
  );
  if (does.length > 0) parts.push(`/ ${does.join(', ')}`);
  if (targets === null) parts.push('(stays)');
  return escapeLabel(parts.filter((part) => part !== '').join(' '));
}

function eventLabel(descriptor: string): string {
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(descriptor) ?? [];
  if (delay !== undefined) return Number.isNaN(Number(delay)) ? `after ${delay}` : `after ${delay} ms`;
  return descriptor.replace(/^xstate\.(done|error)\.(state|actor)\./, '$1 ');
}

function guardLabel(guard: GuardSpec): string {
  switch (guard.kind) {
    case 'named':
      return guard.name;
    case 'inline':
      return 'function';
    case 'stateIn':
      return `in ${JSON.stringify(guard.value)}`;
    case 'not':
      return `not ${guard.guards.map(guardLabel).join(' ')}`;
    case 'and':
    case 'or':
      return guard.guards.map(guardLabel).join(` ${guard.kind} `);
  }
}

/** Mermaid's names are words; the number makes them unique. */
function name(node: Node): string {
  return `${node.key.replace(/\W/g, '_')}_${node.index}`;
}

/** Mermaid reads entities where its own syntax would get in the way. */
function escapeLabel(text: string): string {
  return text.replace(/[";#<>:{}]/g, (char) => `#${char.charCodeAt(0)};`).replace(/\s+/g, ' ');
}

function line(depth: number, text: string): string {
  return '  '.repeat(depth) + text;
}
