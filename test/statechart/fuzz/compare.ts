import { isDeepStrictEqual } from 'node:util';
import {
  deserialize,
  initialMicrostep,
  initialTransition,
  isStatechartError,
  type Machine,
  MachineDefinitionError,
  microstep,
  serialize,
  type Snapshot,
  type Step,
  transition,
} from '@nestjs-orchestrator/statechart';
import * as xstate from 'xstate';
import type { GenCase, GenState } from './config.js';
import { oursOf, xstateOf } from './engines.js';
import { type Observation, observeOurs, observeXState } from './observe.js';

export interface Difference {
  /** -1: the initial step. */
  readonly at: number;
  readonly what: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

export interface Comparison {
  /** Events that both engines processed. */
  readonly events: number;
  readonly difference: Difference | null;
  /** Our definition check refused the config. */
  readonly refused?: boolean;
}

/** Outcome of a step, or that it threw. */
type Attempt = Success | { threw: unknown };

interface Success {
  observation: Observation;
  snapshot: never;
}

/** Runs a case through both engines and looks for the first difference. `laws`: checks the engine's own properties as well. */
export function compareCase({ config, events }: GenCase, laws: boolean): Comparison {
  const machine = defined(config);
  if (machine === null) return { events: 0, difference: null, refused: true };
  const pair = new Pair(machine, xstateOf(config), laws);
  const difference = pair.start();
  if (difference !== null || !pair.lively) return { events: 1, difference };
  for (const [at, event] of events.entries()) {
    const found = pair.send(at, event);
    if (found !== null) return { events: at + 2, difference: found };
  }
  return { events: events.length + 1, difference: null };
}

function defined(config: GenState): Machine | null {
  try {
    return oursOf(config);
  } catch (error) {
    if (error instanceof MachineDefinitionError) return null;
    throw error;
  }
}

/** One machine in both engines, event by event. One that ends begins anew. */
class Pair {
  private mine: Attempt = { threw: null };
  private theirs: Attempt = { threw: null };
  private fresh: { mine: Success; theirs: Success } | null = null;

  constructor(
    private readonly machine: Machine,
    private readonly peer: xstate.AnyStateMachine,
    private readonly laws: boolean,
  ) {}

  /** It came through its first step and waits for events. */
  get lively(): boolean {
    return this.fresh?.mine.observation.status === 'active';
  }

  start(): Difference | null {
    const mine = attempt(() => ofOurs(this.machine, initialTransition(this.machine)));
    const theirs = attempt(() => ofXState(xstate.initialTransition(this.peer)));
    if (!('threw' in mine) && !('threw' in theirs)) this.fresh = { mine, theirs };
    this.restart();
    return differs(-1, mine, theirs) ?? this.brokenLaw(null, null, mine);
  }

  send(at: number, event: GenCase['events'][number]): Difference | null {
    const { mine, theirs } = this;
    if ('threw' in mine || 'threw' in theirs) return null;
    const written = this.laws ? serialize(this.machine, mine.snapshot) : '';
    const nextMine = attempt(() => ofOurs(this.machine, transition(this.machine, mine.snapshot, event)));
    const nextTheirs = attempt(() => ofXState(xstate.transition(this.peer, theirs.snapshot, event)));
    const found =
      differs(at, nextMine, nextTheirs) ??
      this.changed(at, written, mine) ??
      this.brokenLaw(mine.snapshot, event, nextMine);
    // A step that throws leaves the machine where it was.
    if (found !== null || 'threw' in nextMine || 'threw' in nextTheirs) return found;
    this.mine = nextMine;
    this.theirs = nextTheirs;
    if (nextMine.observation.status !== 'active') this.restart();
    return null;
  }

  /** A step leaves the snapshot it was given as it is. */
  private changed(at: number, written: string, { snapshot }: Success): Difference | null {
    const now = this.laws ? serialize(this.machine, snapshot) : '';
    return now === written ? null : { at, what: 'a changed input', ours: now, theirs: written };
  }

  private restart(): void {
    if (this.fresh !== null) ({ mine: this.mine, theirs: this.theirs } = this.fresh);
  }

  private brokenLaw(
    before: Snapshot | null,
    event: { type: string } | null,
    after: Attempt,
  ): Difference | null {
    return this.laws ? brokenLaw(this.machine, before, event, after) : null;
  }
}

function ofOurs(machine: Machine, step: Step): { observation: Observation; snapshot: never } {
  return { observation: observeOurs(machine, step.snapshot, step.effects), snapshot: step.snapshot as never };
}

function ofXState([snapshot, actions]: readonly unknown[]): { observation: Observation; snapshot: never } {
  const observation = observeXState(snapshot, actions);
  // XState turns what is thrown in the first step into a failed snapshot.
  if (observation.status === 'error' && observation.error instanceof Error) throw observation.error;
  return { observation, snapshot: snapshot as never };
}

function attempt(run: () => { observation: Observation; snapshot: never }): Attempt {
  try {
    return run();
  } catch (threw) {
    return { threw };
  }
}

function differs(at: number, mine: Attempt, theirs: Attempt): Difference | null {
  if ('threw' in mine || 'threw' in theirs) return differsInThrowing(at, mine, theirs);
  const keys = Object.keys(mine.observation) as (keyof Observation)[];
  const what = keys.find((key) => !isDeepStrictEqual(mine.observation[key], theirs.observation[key]));
  if (what === undefined) return null;
  return { at, what, ours: mine.observation[what], theirs: theirs.observation[what] };
}

function differsInThrowing(at: number, mine: Attempt, theirs: Attempt): Difference | null {
  if ('threw' in mine && !isStatechartError(mine.threw)) {
    return { at, what: 'an untyped error', ours: (mine.threw as Error).stack, theirs: null };
  }
  if ('threw' in mine && 'threw' in theirs) return null;
  const print = (one: Attempt): unknown => ('threw' in one ? String(one.threw) : one.observation);
  return { at, what: 'throwing', ours: print(mine), theirs: print(theirs) };
}

/** The engine's own laws: exact round trip, untouched input, and `transition` as the loop over `microstep`. */
function brokenLaw(
  machine: Machine,
  before: Snapshot | null,
  event: { type: string } | null,
  after: Attempt,
): Difference | null {
  if ('threw' in after) return null;
  const snapshot = after.snapshot as Snapshot;
  const restored = deserialize(machine, serialize(machine, snapshot));
  if (!isDeepStrictEqual(restored, snapshot))
    return { at: 0, what: 'round trip', ours: restored, theirs: snapshot };
  const loop = loopOf(machine, before, event);
  if (!isDeepStrictEqual(loop.snapshot, snapshot))
    return { at: 0, what: 'loop', ours: loop.snapshot, theirs: snapshot };
  const { actions } = observeOurs(machine, loop.snapshot, loop.effects);
  if (!isDeepStrictEqual(actions, after.observation.actions)) {
    return { at: 0, what: 'effects of the loop', ours: actions, theirs: after.observation.actions };
  }
  return null;
}

function loopOf(machine: Machine, before: Snapshot | null, event: { type: string } | null): Step {
  let step = before === null ? initialMicrostep(machine) : microstep(machine, before, event);
  const effects = [...step.effects];
  do {
    step = microstep(machine, step.snapshot, null);
    effects.push(...step.effects);
  } while (step.changed);
  return { ...step, effects };
}
