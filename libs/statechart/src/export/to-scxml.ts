import type { ActionSpec } from '../chart/action-spec.js';
import type { GuardSpec } from '../chart/guard-spec.js';
import type { After, Node, Transition } from '../chart/node.js';
import { type Machine, runtimeOf } from '../machine.js';
import { escapeXml } from '../scxml/xml.js';

/**
 * A machine's structure as an SCXML document: states, history, transitions, `after` as delayed sends, `raise`, `log`, `cancel`.
 * Named guards and actions have no counterpart in SCXML; they stand as calls `name()` in `cond` and `<script>`, for the data model of
 * whoever runs the document.
 */
export function toScxml(machine: Machine): string {
  const { root } = runtimeOf(machine).chart;
  const attributes = {
    xmlns: 'http://www.w3.org/2005/07/scxml',
    version: '1.0',
    name: root.id,
    datamodel: 'ecmascript',
  };
  // A root that does more than hold states becomes a state of its own: <scxml> has no transitions.
  const plain =
    root.type === 'compound' &&
    root.transitions.size + root.always.length + root.entry.length + root.exit.length === 0;
  const inner = plain ? [...initial(root), ...states(root)] : [stateElement(root), ...ending(root)];
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('scxml', attributes, inner)}\n`;
}

/** A document ends in a final child of <scxml>; a root that became a state leads there when its work is over. */
function ending({ id }: Node): string[] {
  return [element('final', { id: `${id}(done)` })];
}

function ended({ id }: Node): string {
  const event = `done.state.${id}`;
  return element('transition', { event, cond: exactly(event).join(), target: `${id}(done)` });
}

function stateElement(node: Node): string {
  const tag = node.type === 'compound' || node.type === 'atomic' ? 'state' : node.type;
  if (node.type === 'history') return historyElement(node);
  return element(tag, { id: node.id }, [
    ...initial(node),
    ...block('onentry', [...node.entry.map(content), ...node.afters.map(timer)]),
    ...block('onexit', [
      ...node.exit.map(content),
      ...node.afters.map(({ id }) => element('cancel', { sendid: id })),
    ]),
    // Before the rest: a root's own `*` would take it.
    ...(node.parent === null ? [ended(node)] : []),
    ...[...node.transitions.values()].flat().map(transitionElement),
    ...node.always.map(transitionElement),
    ...node.invokes.map(({ id, src }) => element('invoke', { id, type: src })),
    ...doneData(node),
    ...states(node),
  ]);
}

function states(node: Node): string[] {
  return [...node.byKey.values()].map(stateElement);
}

function historyElement(node: Node): string {
  const target =
    node.historyDefault === null
      ? []
      : [element('transition', { target: ids(node.historyDefault) }, node.historyActions.map(content))];
  return element('history', { id: node.id, type: node.history ?? 'shallow' }, target);
}

function initial({ initial }: Node): string[] {
  if (initial === null) return [];
  return [
    element('initial', {}, [
      element('transition', { target: ids(initial.targets) }, initial.actions.map(content)),
    ]),
  ];
}

function timer({ id, delay, event }: After): string {
  const when = typeof delay === 'number' ? { delay: `${delay}ms` } : { delayexpr: `${delay}()` };
  return element('send', { id, event: event.type, ...when });
}

function doneData({ output, type }: Node): string[] {
  if (type !== 'final' || output === undefined || typeof output.value === 'function') return [];
  return [element('donedata', {}, [element('content', { expr: JSON.stringify(output.value) })])];
}

function transitionElement({ descriptor, guard, targets, reenter, actions }: Transition): string {
  const event = descriptor === null ? null : eventName(descriptor);
  const conditions = [
    ...(event === null ? [] : exactly(event)),
    ...(guard === null ? [] : [condition(guard)]),
  ];
  const attributes = {
    ...(event === null ? {} : { event }),
    ...(conditions.length === 0 ? {} : { cond: conditions.join(' && ') }),
    ...(targets === null ? {} : { target: ids(targets) }),
    ...(targets === null || reenter ? {} : { type: 'internal' }),
  };
  return element('transition', attributes, actions.map(content));
}

function eventName(descriptor: string): string {
  return descriptor
    .replace(/^xstate\.done\.state\./, 'done.state.')
    .replace(/^xstate\.done\.actor\./, 'done.invoke.');
}

/** SCXML takes an event's name for a prefix; the engine's own contain ids, of which one may be a prefix of another. */
function exactly(event: string): string[] {
  return /^(xstate|done)\./.test(event) ? [`_event.name === ${JSON.stringify(event)}`] : [];
}

function condition(guard: GuardSpec): string {
  switch (guard.kind) {
    case 'named':
      return `${guard.name}()`;
    case 'inline':
      return `guard(${JSON.stringify(guard.path)})`;
    case 'stateIn':
      return `In(${JSON.stringify(String(guard.value).replace(/^#/, ''))})`;
    case 'not':
      return `!(${guard.guards.map(condition).join(' && ')})`;
    case 'and':
    case 'or':
      return guard.guards
        .map((inner) => `(${condition(inner)})`)
        .join(guard.kind === 'and' ? ' && ' : ' || ');
  }
}

function content(action: ActionSpec): string {
  if (action.kind === 'named') return element('script', {}, [escapeXml(`${action.name}();`)]);
  if (action.kind === 'inline')
    return element('script', {}, [escapeXml(`action(${JSON.stringify(action.path)});`)]);
  return builtin(action);
}

type Builtin = Extract<ActionSpec, { kind: 'builtin' }>;

/** Built-in actions that SCXML has as well; null where an expression makes them something else. */
const ELEMENTS: Readonly<Partial<Record<Builtin['type'], (fields: Builtin['fields']) => string | null>>> = {
  raise: raiseElement,
  cancel: ({ sendId }) => (typeof sendId === 'string' ? element('cancel', { sendid: sendId }) : null),
  log: ({ value }) =>
    typeof value === 'function' ? null : element('log', { expr: JSON.stringify(value) ?? 'undefined' }),
};

function builtin({ type, fields, path }: Builtin): string {
  return ELEMENTS[type]?.(fields) ?? element('script', {}, [escapeXml(`action(${JSON.stringify(path)});`)]);
}

function raiseElement({ event, delay, id }: Builtin['fields']): string | null {
  const type = (event as { type?: unknown } | undefined)?.type;
  if (typeof type !== 'string') return null;
  if (delay === undefined) return element('raise', { event: type });
  return typeof delay === 'number'
    ? element('send', { event: type, delay: `${delay}ms`, ...idOf(id) })
    : null;
}

function idOf(id: unknown): Record<string, string> {
  return typeof id === 'string' ? { id } : {};
}

function ids(nodes: readonly Node[]): string {
  return nodes.map(({ id }) => id).join(' ');
}

function block(name: string, inner: readonly string[]): string[] {
  return inner.length === 0 ? [] : [element(name, {}, inner)];
}

function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  inner: readonly string[] = [],
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  const open = `<${name}${written.join('')}`;
  if (inner.length === 0) return `${open}/>`;
  const text = inner.join('\n').replaceAll('\n', '\n  ');
  return `${open}>\n  ${text}\n</${name}>`;
}
