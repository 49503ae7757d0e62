import type { ActionSpec } from '../chart/action-spec.js';
import type { Chart } from '../chart/chart.js';
import type { GuardSpec } from '../chart/guard-spec.js';
import type { Node } from '../chart/node.js';
import { bindAction } from './bind-action.js';
import { bindGuard, type Check } from './bind-guard.js';
import { Configuration } from './configuration.js';
import type { Op } from './op.js';
import type { Memory } from './sets.js';

/** Implementations by name, as maps: a config's names never meet a prototype. */
export interface BoundNames {
  readonly actions: ReadonlyMap<string, unknown>;
  readonly guards: ReadonlyMap<string, unknown>;
  readonly actors: ReadonlyMap<string, unknown>;
  readonly delays: ReadonlyMap<string, unknown>;
}

/** Plans and configurations a machine may hold before it forgets them all and starts over. */
const MAX_PLANS = 20_000;
const MAX_CONFIGURATIONS = 10_000;

/**
 * Told after each function of a machine that the engine has called: `guard`, by its name; `expression` (an assign, a computed delay, params, an input), by its path
 * in the config. A guard that was written inline is told by its path as well.
 */
export type CallWatch = (kind: 'guard' | 'expression', name: string) => void;

/** A chart bound to implementations, with everything that was worked out for it so far. */
export class Runtime {
  /** Names of guards being bound, so that one that stands for itself is found out. */
  readonly guardChain = new Set<string>();
  /** Under SCXML's rules a guard that throws does not pass, and the next raised event says so. Emptied by whoever asked guards. */
  readonly guardFailures: unknown[] = [];
  /** Set while somebody watches. */
  watch: CallWatch | undefined = undefined;
  /** The context of all instances of a config that makes none for each; a mark that no instance has, where it does. */
  readonly sharedContext: unknown;
  private readonly ops = new Map<ActionSpec, Op>();
  private readonly checks = new Map<GuardSpec, Check>();
  private readonly configurations = new Map<string, Configuration>();
  private planned = 0;

  constructor(
    readonly chart: Chart,
    readonly implementations: BoundNames,
  ) {
    const { context } = chart;
    this.sharedContext =
      typeof context === 'function' ? Symbol('made for each') : (context ?? Object.freeze({}));
  }

  op(spec: ActionSpec): Op {
    let op = this.ops.get(spec);
    if (op === undefined) this.ops.set(spec, (op = bindAction(this, spec)));
    return op;
  }

  check(spec: GuardSpec): Check {
    let check = this.checks.get(spec);
    if (check === undefined) this.checks.set(spec, (check = bindGuard(this, spec)));
    return check;
  }

  /** The one object for these active states and this memory. */
  configuration(nodes: readonly Node[], memory: Memory): Configuration {
    const ordered = this.chart.ordered ? leavesLast(nodes) : inDocumentOrder(nodes);
    const key = keyOf(ordered, memory);
    let configuration = this.configurations.get(key);
    if (configuration === undefined) {
      if (this.configurations.size >= MAX_CONFIGURATIONS) this.forget();
      configuration = new Configuration(this, ordered, memory);
      this.configurations.set(key, configuration);
    }
    return configuration;
  }

  /** Says that a plan is about to be kept; the memory of plans is bounded. */
  countPlan(): void {
    if (++this.planned > MAX_PLANS) this.forget();
  }

  private forget(): void {
    for (const configuration of this.configurations.values()) configuration.forgetPlans();
    this.configurations.clear();
    this.planned = 0;
  }
}

function inDocumentOrder(nodes: readonly Node[]): Node[] {
  return [...nodes].sort((a, b) => a.index - b.index);
}

/** Only the leaves' order of entry decides anything. */
function leavesLast(nodes: readonly Node[]): Node[] {
  const isLeaf = (node: Node): boolean => node.children.length === 0;
  return [...inDocumentOrder(nodes.filter((node) => !isLeaf(node))), ...nodes.filter(isLeaf)];
}

function keyOf(nodes: readonly Node[], memory: Memory): string {
  const active = nodes.map((node) => node.index).join(' ');
  if (memory.size === 0) return active;
  const remembered = [...memory]
    .map(([history, states]) => `${history.index}:${states.map((node) => node.index).join(' ')}`)
    .sort();
  return `${active}|${remembered.join('|')}`;
}
