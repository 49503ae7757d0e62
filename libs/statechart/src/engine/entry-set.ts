import type { Semantics } from '../chart/chart.js';
import { ancestorsOf, isInside, type Node } from '../chart/node.js';
import { domainOf, effectiveTargets, historyDefault, type Memory, type Move } from './sets.js';

/** States that transitions enter (SCXML: computeEntrySet, with XState v5's rules for whose initial actions run). */
export class EntrySet {
  readonly states = new Set<Node>();
  /** Entered states whose initial transition is taken, so that its actions run. */
  readonly byDefault = new Set<Node>();
  /** History states that fell back to their default, so that its actions run. */
  readonly histories = new Set<Node>();

  /**
   * @param before what history remembered when the transitions were selected: their domains, and so what they leave, rest on it
   * @param memory what it remembers now that states were left: it says where to go
   */
  constructor(
    private readonly before: Memory,
    private readonly memory: Memory,
    private readonly semantics: Semantics,
  ) {}

  /**
   * A transition that stays where it is (an internal one of a leaf to itself, by way of a history) conflicts with none; where another
   * one leaves its domain, that one decides and there is nothing to enter.
   */
  add(move: Move, left: ReadonlySet<Node>): void {
    const domain = domainOf(move, this.before, this.semantics);
    if (domain !== null && left.has(domain)) return;
    this.addTargets(move, domain);
    this.addEffective(move, domain);
  }

  private addTargets(move: Move, domain: Node | null): void {
    for (const target of move.targets ?? []) {
      if (target.type !== 'history' && isEntered(move, target, domain)) this.addDefault(target);
      this.addDescendants(target);
    }
  }

  private addEffective(move: Move, domain: Node | null): void {
    const border = move.source.parent === null && move.reenter ? null : domain;
    for (const target of effectiveTargets(move.targets, this.memory)) {
      const ancestors = ancestorsOf(target, domain);
      if (domain?.type === 'parallel') ancestors.push(domain);
      this.addAncestors(ancestors, border);
    }
  }

  /** In document order, which is the order of entry. */
  inOrder(): Node[] {
    return [...this.states].sort((a, b) => a.index - b.index);
  }

  private addDefault(node: Node): void {
    this.states.add(node);
    this.byDefault.add(node);
  }

  private addDescendants(node: Node): void {
    if (node.type === 'history') this.addRecalled(node);
    else if (node.type === 'compound') this.addInitial(node);
    else if (node.type === 'parallel') this.addRegions(node);
  }

  private addRecalled(history: Node): void {
    const parent = history.parent as Node;
    const remembered = this.memory.get(history);
    const targets = remembered ?? historyDefault(history);
    if (remembered === undefined) {
      this.histories.add(history);
      if (history.historyDefault === null && parent.type === 'compound') this.byDefault.add(parent);
    }
    for (const target of targets) {
      this.states.add(target);
      this.addDescendants(target);
    }
    for (const target of targets) this.addAncestors(ancestorsOf(target, parent), null);
  }

  private addInitial(node: Node): void {
    const targets = node.initial?.targets ?? [];
    for (const target of targets) {
      if (target.type !== 'history') this.addDefault(target);
      this.addDescendants(target);
    }
    for (const target of targets) this.addAncestors(ancestorsOf(target, node), null);
  }

  private addRegions(node: Node): void {
    for (const region of node.children) {
      if (this.reaches(region)) continue;
      this.addDefault(region);
      this.addDescendants(region);
    }
  }

  private addAncestors(ancestors: readonly Node[], border: Node | null): void {
    for (const ancestor of ancestors) {
      if (border === null || isInside(ancestor, border)) this.states.add(ancestor);
      if (ancestor.type === 'parallel') this.addSiblingRegions(ancestor);
    }
  }

  /** XState enters the regions beside a target without their initial actions; SCXML runs these. */
  private addSiblingRegions(parallel: Node): void {
    for (const region of parallel.children) {
      if (this.reaches(region)) continue;
      if (this.semantics === 'scxml') this.byDefault.add(region);
      this.states.add(region);
      this.addDescendants(region);
    }
  }

  private reaches(region: Node): boolean {
    for (const node of this.states) if (isInside(node, region)) return true;
    return false;
  }
}

/** The source of an internal transition to itself stays; its descendants are entered anew. */
function isEntered(move: Move, target: Node, domain: Node | null): boolean {
  return move.source !== target || move.source !== domain || move.reenter;
}
