import type { Node } from '../chart/node.js';
import { MachineSnapshot } from '../snapshot/snapshot.js';
import type { Plan } from './plan.js';
import type { Runtime } from './runtime.js';
import type { Memory } from './sets.js';

/**
 * A set of active states together with what history remembers. Interned: within one machine two snapshots in the same place share
 * one object, on which the plans for that place are kept.
 */
export class Configuration {
  /** Tags of all active states, sorted. */
  readonly tags: readonly string[];
  /** Active states without active children. */
  readonly leaves: readonly Node[];
  /** The event type asked for first: in most places there is hardly another. */
  private firstType: string | undefined = undefined;
  private firstPlan: Plan | null = null;
  private plans: Map<string, Plan | null> | undefined = undefined;
  /** What eventless transitions do here; undefined: not looked at yet. */
  eventless: Plan | null | undefined = undefined;
  private set: ReadonlySet<Node> | undefined = undefined;
  private resting: MachineSnapshot<unknown> | undefined = undefined;
  /** How the text of an active snapshot in this place begins; made when one is first written. */
  opening: string | undefined = undefined;

  constructor(
    readonly runtime: Runtime,
    /** Active states: in document order, or in the order of entry where that decides something. */
    readonly nodes: readonly Node[],
    readonly memory: Memory,
  ) {
    this.tags = [...new Set(nodes.flatMap((node) => node.tags))].sort();
    this.leaves = nodes.filter((node) => node.children.length === 0);
  }

  get active(): ReadonlySet<Node> {
    return (this.set ??= new Set(this.nodes));
  }

  /**
   * The snapshot of all active instances that are here with the shared context and without a memory of entries: one object for however many, so that their steps
   * leave nothing to collect.
   */
  get restingSnapshot(): MachineSnapshot<unknown> {
    return (this.resting ??= new MachineSnapshot(
      this,
      this.runtime.sharedContext,
      null,
      null,
      'active',
      undefined,
      undefined,
    ));
  }

  /** What an event type does here; null: no state answers it; undefined: not looked at yet. */
  planFor(type: string): Plan | null | undefined {
    return type === this.firstType ? this.firstPlan : this.plans?.get(type);
  }

  keepPlan(type: string, plan: Plan | null): void {
    if (this.firstType === undefined) {
      this.firstType = type;
      this.firstPlan = plan;
    } else (this.plans ??= new Map()).set(type, plan);
  }

  forgetPlans(): void {
    this.firstType = undefined;
    this.firstPlan = null;
    this.plans = undefined;
    this.eventless = undefined;
  }

  /** Printed and serialised as the ids of the active leaves. */
  toJSON(): readonly string[] {
    return this.leaves.map((node) => node.id);
  }
}
