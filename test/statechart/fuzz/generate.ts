import type { GenAction, GenCase, GenGuard, GenInvoke, GenState, GenTransition } from './config.js';
import type { Random } from './random.js';

const EVENTS = ['A', 'B', 'C', 'a.b', 'a.b.c', 'a.c'] as const;
const DESCRIPTORS = [...EVENTS, 'a.*', 'a.b.*', '*'] as const;
const RAISED = ['R1', 'R2', 'A', 'a.b'] as const;
const TAGS = ['red', 'green', 'blue'] as const;

interface Place {
  state: GenState;
  id: string;
  key: string;
  path: string[];
  parent: Place | null;
  children: Place[];
}

/** A random machine and random events for it. */
export function generateCase(random: Random, eventCount: number): GenCase {
  const generator = new Generator(random);
  const config = generator.machine();
  return { config, events: generator.events(eventCount) };
}

class Generator {
  private readonly places: Place[] = [];
  private label = 0;
  private budget: number;
  private readonly extraEvents: string[] = [];

  constructor(private readonly random: Random) {
    this.budget = 3 + random.int(14);
  }

  machine(): GenState {
    const root = this.place('m', null, [], 0);
    root.state.id = 'm';
    root.state.context = { x: 0, y: 0 };
    if (this.random.chance(0.3)) root.state.output = { type: 'whole' };
    for (const place of this.places) this.fill(place);
    return root.state;
  }

  events(count: number): GenCase['events'] {
    const types = [...EVENTS, 'R1', 'Z', ...this.extraEvents, ...this.extraEvents];
    return Array.from({ length: count }, () => {
      const type = this.random.pick(types);
      if (type.startsWith('xstate.done.actor')) return { type, output: this.random.int(3) };
      if (type.startsWith('xstate.error.actor')) return { type, error: 'boom' };
      return { type, n: this.random.int(4) };
    });
  }

  private place(key: string, parent: Place | null, path: string[], depth: number): Place {
    const { random } = this;
    const state: GenState = {};
    const place: Place = { state, id: ['m', ...path].join('.'), key, path, parent, children: [] };
    this.places.push(place);
    if (parent !== null && random.chance(0.15)) {
      state.id = `id${this.places.length}`;
      place.id = state.id;
    }
    const wantsChildren = parent === null || (depth < 4 && this.budget > 1 && random.chance(0.45));
    if (!wantsChildren) {
      if (random.chance(0.2) && parent !== null) state.type = 'final';
      return place;
    }
    this.fillChildren(place, depth);
    return place;
  }

  private fillChildren(place: Place, depth: number): void {
    const { random } = this;
    const { state } = place;
    const parallel = random.chance(0.3);
    if (parallel) state.type = 'parallel';
    const count = 1 + random.int(parallel ? 3 : 4);
    state.states = {};
    for (let index = 0; index < count; index++) {
      this.budget--;
      const key = `s${index}`;
      const child = this.place(key, place, [...place.path, key], depth + 1);
      state.states[key] = child.state;
      place.children.push(child);
    }
    if (!parallel) this.setInitial(place);
    if (place.parent !== null || random.chance(0.5)) this.addHistory(place);
  }

  private setInitial(place: Place): void {
    const target = this.random.pick(place.children).key;
    place.state.initial = this.random.chance(0.3) ? { target, actions: this.actions(1) } : target;
  }

  private addHistory(place: Place): void {
    if (!this.random.chance(0.4)) return;
    const state: GenState = { type: 'history', history: this.random.chance(0.5) ? 'deep' : 'shallow' };
    if (this.random.chance(0.5)) state.target = this.random.pick(place.children).key;
    (place.state.states as Record<string, GenState>)['h'] = state;
    const path = [...place.path, 'h'];
    this.places.push({ state, id: ['m', ...path].join('.'), key: 'h', path, parent: place, children: [] });
  }

  private fill(place: Place): void {
    const { random } = this;
    const { state } = place;
    if (state.type === 'history') return;
    if (random.chance(0.5)) state.entry = this.actions(2);
    if (random.chance(0.5)) state.exit = this.actions(2);
    if (random.chance(0.4)) state.tags = random.some(TAGS, 2);
    if (state.type === 'final') {
      if (random.chance(0.4)) state.output = this.random.chance(0.5) ? { type: 'part' } : this.label++;
      if (random.chance(0.7)) return;
    }
    this.fillTransitions(place);
  }

  private fillTransitions(place: Place): void {
    const { random } = this;
    const { state } = place;
    for (const descriptor of random.some(DESCRIPTORS, 4)) {
      state.on ??= {};
      state.on[descriptor] = this.transitions(place);
    }
    if (random.chance(0.15))
      state.on = { ...state.on, R1: this.transition(place), R2: this.transition(place) };
    if (random.chance(0.3)) state.always = this.alwaysOf(place);
    if (random.chance(0.2)) this.addAfter(place);
    if (place.children.length > 0 && random.chance(0.4)) state.onDone = this.transition(place);
    if (random.chance(0.15)) this.addInvoke(place);
  }

  private alwaysOf(place: Place): GenTransition[] {
    return Array.from({ length: 1 + this.random.int(2) }, () => {
      const transition = this.transition(place);
      if (this.random.chance(0.9)) transition.guard ??= this.guard(2);
      return transition;
    });
  }

  private addAfter(place: Place): void {
    place.state.after = {};
    for (const delay of this.random.some(['10', '20', 'short', 'computed'], 2)) {
      place.state.after[delay] = this.random.chance(0.3)
        ? [this.transition(place), this.transition(place)]
        : this.transition(place);
      this.extraEvents.push(`xstate.after.${delay}.${place.id}`);
    }
  }

  private addInvoke(place: Place): void {
    const invoke: GenInvoke = { src: 'work' };
    if (this.random.chance(0.5)) invoke.id = `actor${this.places.indexOf(place)}`;
    if (this.random.chance(0.5)) invoke.input = { type: 'input' };
    if (this.random.chance(0.7)) invoke.onDone = this.transition(place);
    if (this.random.chance(0.7)) invoke.onError = this.transition(place);
    place.state.invoke = [invoke];
    const id = invoke.id ?? `0.${place.id}`;
    this.extraEvents.push(`xstate.done.actor.${id}`, `xstate.error.actor.${id}`);
  }

  private transitions(place: Place): GenTransition | GenTransition[] | string | null {
    const roll = this.random.next();
    if (roll < 0.1) return null;
    if (roll < 0.3) return this.target(place);
    if (roll < 0.6) return this.transition(place);
    return Array.from({ length: 1 + this.random.int(3) }, () => this.transition(place));
  }

  private transition(place: Place): GenTransition {
    const { random } = this;
    const transition: GenTransition = {};
    if (random.chance(0.8))
      transition.target = random.chance(0.12) ? this.targets(place) : this.target(place);
    if (random.chance(0.45)) transition.guard = this.guard(2);
    if (random.chance(0.6)) transition.actions = this.actions(2);
    if (random.chance(0.25)) transition.reenter = true;
    return transition;
  }

  private target(place: Place): string {
    const { random } = this;
    const other = random.pick(this.places.filter((one) => !breaksXState(place, one)));
    const roll = random.next();
    if (roll < 0.3 && place.parent !== null) return random.pick(place.parent.children).key;
    if (roll < 0.5 && place.children.length > 0) return `.${random.pick(place.children).key}`;
    return `#${other.id}`;
  }

  /** Targets in different regions of a parallel state, if there is one. */
  private targets(place: Place): string[] {
    const parallels = this.places.filter(
      (place) => place.state.type === 'parallel' && place.children.length > 1,
    );
    if (parallels.length === 0) return [this.target(place)];
    const { children } = this.random.pick(parallels);
    return children.filter(() => this.random.chance(0.8)).map((region) => `#${this.inside(region).id}`);
  }

  private inside(place: Place): Place {
    if (place.children.length === 0 || this.random.chance(0.4)) return place;
    return this.inside(this.random.pick(place.children));
  }

  private guard(depth: number): GenGuard {
    const { random } = this;
    const roll = random.next();
    if (depth > 0 && roll < 0.1) return { type: 'xstate.not', guards: [this.guard(depth - 1)] };
    if (depth > 0 && roll < 0.2)
      return { type: 'xstate.and', guards: [this.guard(depth - 1), this.guard(depth - 1)] };
    if (depth > 0 && roll < 0.3)
      return { type: 'xstate.or', guards: [this.guard(depth - 1), this.guard(depth - 1)] };
    if (roll < 0.4) return { type: 'xstate.stateIn', stateValue: `#${random.pick(this.places).id}` };
    if (roll < 0.5) return { type: 'xstate.stateIn', stateValue: nested(random.pick(this.places).path) };
    if (roll < 0.6) return random.pick(['xIsOdd', 'eventIsOdd', 'eventIsA']);
    return { type: 'atLeast', params: { key: random.pick(['x', 'y']), min: random.int(6) } };
  }

  private actions(most: number): GenAction[] {
    return Array.from({ length: this.random.int(most + 1) }, () => this.action());
  }

  private action(): GenAction {
    const { random } = this;
    const label = this.label++;
    const roll = random.next();
    if (roll < 0.4) return `do${label}`;
    if (roll < 0.5) return { type: `with${label}`, params: { label } };
    if (roll < 0.7)
      return { type: 'add', params: { key: random.pick(['x', 'y']), by: random.pick([1, 1, 2, -3]) } };
    if (roll < 0.82) return { type: 'xstate.raise', event: { type: random.pick(RAISED), n: random.int(4) } };
    if (roll < 0.86) return { type: 'xstate.raise', event: { type: 'R2' }, delay: 5, id: `send${label % 3}` };
    if (roll < 0.89) return { type: 'xstate.cancel', sendId: `send${label % 3}` };
    if (roll < 0.92) return { type: 'xstate.emit', event: { type: 'emitted', label } };
    if (roll < 0.95) return { type: 'enqueue', params: { key: 'y', label } };
    return { type: 'copyEvent' };
  }
}

/**
 * Two ways to break XState's configuration, after which there is nothing to compare:
 * a transition inside a parallel state to that state's history, which has neither memory nor a default of its own (XState leaves the
 * state, works out the domain anew and never enters it again); and a leaf's transition to itself by way of a history, while another
 * region leaves them both (XState enters the leaf without its ancestors).
 */
function breaksXState(source: Place, target: Place): boolean {
  const { parent, state } = target;
  if (state.type !== 'history' || parent === null || source === parent) return false;
  const inside = source.path.join('.').startsWith(parent.path.join('.'));
  return inside && hasParallelAround(source);
}

function hasParallelAround({ parent }: Place): boolean {
  return parent !== null && (parent.state.type === 'parallel' || hasParallelAround(parent));
}

function nested([head, ...rest]: string[]): unknown {
  if (head === undefined) return {};
  return rest.length === 0 ? head : { [head]: nested(rest) };
}
