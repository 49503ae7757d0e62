import { isPhase, placedStates, stateNodes, type PlacedState, type StateNodes } from '../states.js';
import { STATE_NAME, STATE_NAME_RULE, type Report } from './report.js';

/** Names, ends and nesting of states. */
export function checkStates(
  states: readonly string[] | StateNodes,
  ends: readonly string[],
  report: Report,
): void {
  const nodes = stateNodes(states);
  const top: readonly string[] = Array.isArray(states) ? (states as readonly string[]) : Object.keys(states);
  if (top.length === 0) report('states', 'must name at least one state between start and end');
  if (ends.length === 0)
    report('ends', 'must name at least one end; a saga without an end would live for ever');
  for (const state of placedStates(nodes)) checkNode(state, report);
  checkNames(top, ends, report);
}

function checkNames(states: readonly string[], ends: readonly string[], report: Report): void {
  const seen = new Set<string>();
  for (const [path, names] of [['states', states] as const, ['ends', ends] as const]) {
    for (const name of names) {
      if (path === 'ends' && !STATE_NAME.test(name)) report(path, `'${name}' ${STATE_NAME_RULE}`);
      if (isPhase(name)) report(path, `'${name}' is what a saga does, not where it is: name it otherwise`);
      if (seen.has(name)) report(path, `'${name}' is named twice`);
      seen.add(name);
    }
  }
}

/** What an XState config may say beyond structure belongs to the class or builder. */
const NODE_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'initial',
  'states',
  'history',
  'target',
  'description',
  'tags',
  'meta',
]);

function checkNode({ path, node, parent }: PlacedState, report: Report): void {
  const name = parent === null ? path : path.slice(parent.path.length + 1);
  if (!STATE_NAME.test(name)) report('states', `'${name}' ${STATE_NAME_RULE}`);
  for (const field of Object.keys(node)) {
    if (!NODE_FIELDS.has(field)) {
      report(path, `'${field}' is behaviour: say it in the saga's class or builder, with during '${path}'`);
    }
  }
  if (parent === null && node.type === 'final')
    report(path, `is final: put it into 'ends', and say what it means`);
}
