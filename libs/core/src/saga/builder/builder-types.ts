import type { Duration } from '../../message/duration.js';
import type { ActivityFailure, SagaActivityContext } from '../activity/activity-types.js';
import type { CompensationContext, ContextOf, GuardContext, StartContextOf } from '../contexts.js';
import type { AnySaga, StateOf } from '../saga-types.js';
import type { SagaPhase } from '../states.js';

type Sync<T> = T | Promise<T>;

/** A condition under which a transition is taken. Pure: it may be asked again. */
export type SagaGuard<G extends AnySaga, E> = (ctx: GuardContext<E, G['types']['data']>) => boolean;

/** The fluent way to give a saga its behaviour; see `buildSaga`. */
export interface SagaBuilder<G extends AnySaga> {
  /** What starts an instance. */
  initially(): StartScope<G>;
  /** What happens in these states. */
  during(...states: [G['types']['state'], ...G['types']['state'][]]): StateScope<G>;
  /**
   * What happens in every state between start and end that does not answer the event itself: a state's own transitions go
   * first.
   */
  duringAny(): StateScope<G>;
  /**
   * What is still done for messages that come while an instance is undone (`compensating`), or after its end (`ended`): a compensation recorded
   * there is run as well, messages go out, and nothing else changes. What is not answered is recorded as late.
   */
  during(phase: SagaPhase): LateScope<G>;
  /** Runs whenever the state is entered, an end too, after the handler of the transition that leads there. */
  onEntry(
    state: StateOf<G> | readonly StateOf<G>[],
    handler: (ctx: ContextOf<G, never>) => Sync<void>,
  ): SagaBuilder<G>;
  /** Runs whenever the state is left, before the handler of the transition that leads away. */
  onExit(
    state: G['types']['state'] | readonly G['types']['state'][],
    handler: (ctx: ContextOf<G, never>) => Sync<void>,
  ): SagaBuilder<G>;
  /** Runs the activity of that name. It may run again, so it gives `ctx.idempotencyKey` to whom it calls. */
  activity<const N extends keyof G['types']['words']['activities'] & string>(
    name: N,
    run: (
      input: G['types']['words']['activities'][N]['input'],
      ctx: SagaActivityContext,
    ) => Promise<G['types']['words']['activities'][N]['output']>,
  ): SagaBuilder<G>;
  /** Undoes the step of that name. It may run again, so it gives `ctx.idempotencyKey` to whom it calls. */
  compensate<const N extends keyof G['types']['undo'] & string>(
    name: N,
    handler: (input: G['types']['undo'][N], ctx: CompensationContext) => Promise<void>,
  ): SagaBuilder<G>;
}

/** After `initially()`. */
export interface StartScope<G extends AnySaga> {
  /** The message that starts an instance. */
  when<M extends G['types']['event']>(event: M): StartWhen<G, InstanceType<M>>;
}

/** After `initially().when(…)`. */
export interface StartWhen<G extends AnySaga, E> {
  /** Makes the whole initial data. */
  then(handler: (ctx: StartContextOf<G, E>) => Sync<G['types']['data']>): StartThen<G>;
}

/** After `initially().when(…).then(…)`. */
export interface StartThen<G extends AnySaga> {
  /** The state in which the new instance begins. */
  transitionTo(target: StateOf<G>): StartScope<G>;
}

/** After `during(…)`, `duringAny()`, and after each finished transition. */
export interface StateScope<G extends AnySaga> {
  /** An event of the saga. Guarded transitions of one event are tried in the order they are written. */
  when<M extends G['types']['event']>(event: M): When<G, InstanceType<M>>;
  /** A composite event: all its members have come. */
  when(composite: G['types']['words']['composite']): When<G, never>;
  /** A stay in the state that has lasted this long. */
  after(delay: Duration): When<G, never>;
  /** The timer of that name, which a handler has set with `ctx.schedule`. */
  scheduled(name: G['types']['words']['schedule']): When<G, never>;
  /** An activity that was invoked for this state has succeeded; the event is its output. */
  onDone<const N extends keyof G['types']['words']['activities'] & string>(
    activity: N,
  ): When<G, G['types']['words']['activities'][N]['output']>;
  /** An activity that was invoked for this state has failed for good. */
  onFailed(activity: keyof G['types']['words']['activities'] & string): When<G, ActivityFailure>;
  /** As soon as the state is entered, or something was handled in it; needs a target. Before raised events, as in SCXML. */
  always(): When<G, never>;
  /** The states inside have come to their end. */
  done(): When<G, never>;
}

/** After `during('compensating')` and `during('ended')`. */
export interface LateScope<G extends AnySaga> {
  /** An event of the saga. */
  when<M extends G['types']['event']>(event: M): LateWhen<G, InstanceType<M>>;
}

/** What can be done with an event that comes late: the saga stays where it is. */
export interface LateWhen<G extends AnySaga, E> extends LateAnswers<G, E, LateScope<G>> {
  /** Answers only if the condition holds. Without an `else`, the event is otherwise recorded as late. */
  if(condition: SagaGuard<G, E>): LateAnswers<G, E, LateOtherwise<G, E>>;
}

/** After the answer to an `if(…)`. */
export interface LateOtherwise<G extends AnySaga, E> extends LateScope<G> {
  /** Answers if no condition before it held. */
  else(): LateAnswers<G, E, LateScope<G>>;
  /** Answers if no condition before it held, and this one does. */
  elseIf(condition: SagaGuard<G, E>): LateAnswers<G, E, LateOtherwise<G, E>>;
}

/** Answers to a late event. */
export interface LateAnswers<G extends AnySaga, E, Next> {
  /** Runs a handler, which may record compensations and messages. */
  then(handler: (ctx: ContextOf<G, E>) => Sync<void>): Next;
  /** Takes note of the event and does nothing. */
  ignore(): Next;
}

/** After `when(…)` or `after(…)`: what it is answered with. A `when` without an answer is a fault of the definition. */
export interface When<G extends AnySaga, E> extends Answer<G, E, StateScope<G>> {
  /** Answers only if the condition holds. Without an `else`, the event then counts as not answered here. */
  if(condition: SagaGuard<G, E>): Answer<G, E, Otherwise<G, E>>;
}

/** After the answer to an `if(…)`. The conditions of one chain are asked in order, each once per event. */
export interface Otherwise<G extends AnySaga, E> extends StateScope<G> {
  /** Answers if no condition before it held. */
  else(): Answer<G, E, StateScope<G>>;
  /** Answers if no condition before it held, and this one does. */
  elseIf(condition: SagaGuard<G, E>): Answer<G, E, Otherwise<G, E>>;
}

/** What can be done with an event. */
export interface Answer<G extends AnySaga, E, Next> {
  /**
   * Runs a handler. Where it returns nothing, the saga stays, or goes where `transitionTo` says; where it returns the target,
   * `transitionToOneOf` follows and lists what it may return.
   */
  then<const R extends StateOf<G> | void>(
    handler: (ctx: ContextOf<G, E>) => R | Promise<R>,
  ): [R] extends [void] ? Next & Move<G, Next> : Choice<G, R, Next>;
  /** Goes there without a handler. */
  transitionTo(target: StateOf<G>): Next;
  /** Goes to an end without a handler. */
  finalize(end: G['types']['end']): Next;
  /** Takes note of the event and does nothing. */
  ignore(): Next;
}

/** After a handler that returns nothing. */
export interface Move<G extends AnySaga, Next> {
  /** Goes there when the handler has run. */
  transitionTo(target: StateOf<G>): Next;
  /** Goes to an end when the handler has run. */
  finalize(end: G['types']['end']): Next;
}

/** After a handler that returns the target. */
export interface Choice<G extends AnySaga, R, Next> {
  /** All targets that the handler may return. */
  transitionToOneOf<const T extends readonly StateOf<G>[]>(
    ...targets: [R] extends [T[number]] ? T : never
  ): Next;
}
