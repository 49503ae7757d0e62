import { causeOf, targetsOf, type SagaBehaviour, type TransitionSpec } from '../behaviour.js';
import type { AnySaga } from '../saga-types.js';
import { isPhase, type StateNodes } from '../states.js';

/** A saga as a Mermaid `stateDiagram-v2`. What belongs to no state, such as answers after the end, is left out. */
export function diagramOf({ definition, transitions }: SagaBehaviour): string {
  const names = namesOf(definition);
  const ends: readonly string[] = Object.keys(definition.ends);
  const lines = [
    'stateDiagram-v2',
    ...statesOf(definition.nodes, '', names, 1),
    ...ends.map((end) => `  state "${end} (${String(definition.ends[end])})" as ${names.get(end) ?? end}`),
    ...transitions.flatMap((spec) => arrowsOf(spec, names)),
    ...ends.map((end) => `  ${names.get(end) ?? end} --> [*]`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Mermaid's names are words; the number makes them unique. */
function namesOf(definition: AnySaga): ReadonlyMap<string, string> {
  const paths: readonly string[] = [
    ...(definition.states as readonly string[]),
    ...Object.keys(definition.ends),
  ];
  return new Map(paths.map((path, index) => [path, `${path.replace(/\W/g, '_')}_${index}`]));
}

function statesOf(
  nodes: StateNodes,
  prefix: string,
  names: ReadonlyMap<string, string>,
  depth: number,
): readonly string[] {
  const indent = '  '.repeat(depth);
  return Object.entries(nodes).flatMap(([key, { states, initial, type }]) => {
    const path = `${prefix}${key}`;
    const label = `${indent}state "${key}" as ${names.get(path) ?? key}`;
    if (states === undefined) return [label];
    const first =
      initial === undefined ? [] : [`${indent}  [*] --> ${names.get(`${path}.${initial}`) ?? initial}`];
    const inside = Object.keys(states).map((name) =>
      statesOf({ [name]: states[name] ?? {} }, `${path}.`, names, depth + 1),
    );
    // Regions of a parallel state stand apart.
    const body =
      type === 'parallel'
        ? inside.flatMap((lines, at) => (at === 0 ? lines : [`${indent}  --`, ...lines]))
        : inside.flat();
    return [`${label} {`, ...first, ...body, `${indent}}`];
  });
}

function arrowsOf(spec: TransitionSpec, names: ReadonlyMap<string, string>): readonly string[] {
  const sources = spec.trigger.kind === 'start' ? ['[*]'] : spec.during.filter((path) => !isPhase(path));
  const cause = `${causeOf(spec.trigger)}${spec.guard === undefined ? '' : ' [if]'}`;
  return sources.flatMap((source) => {
    const targets = targetsOf(spec);
    return (targets.length === 0 ? [source] : targets).map(
      (target) => `  ${names.get(source) ?? source} --> ${names.get(target) ?? target} : ${escaped(cause)}`,
    );
  });
}

/** Mermaid reads entities where its own syntax would get in the way. */
function escaped(text: string): string {
  return text.replace(/[";#<>:{}]/g, (char) => `#${char.charCodeAt(0)};`);
}
