import type { Duration } from '../../message/duration.js';
import type { SagaBehaviour } from '../behaviour.js';
import type { CompensationContext, ContextOf, StartContextOf } from '../contexts.js';
import type { AnySaga } from '../saga-types.js';

type Sync<T> = T | Promise<T>;
type Command<G extends AnySaga> = G['types']['words']['command'];
type State<G extends AnySaga> = G['types']['state'];
type End<G extends AnySaga> = G['types']['end'];
type Event<G extends AnySaga> = G['types']['event'];
type Undo<G extends AnySaga> = G['types']['undo'];

/** What undoes the saga's steps, by name. They may run again, so they give `ctx.idempotencyKey` to whom they call. */
export type Compensations<G extends AnySaga> = {
  readonly [N in keyof Undo<G>]: (input: Undo<G>[N], ctx: CompensationContext) => Promise<void>;
};

/** Options of `steps`. */
export type StepsOptions<G extends AnySaga> = keyof Undo<G> extends never
  ? { readonly compensations?: Compensations<G> }
  : { readonly compensations: Compensations<G> };

/** What a step does, and what it waits for. */
export interface RetriableStep<G extends AnySaga, A extends Event<G>, F extends Event<G>> {
  /** Makes the command, or several, to be sent when the step begins. Absent: the step only waits. */
  readonly do?: (ctx: ContextOf<G, never>) => Sync<Command<G> | readonly Command<G>[]>;
  /** The event that ends the step well; of several, whichever comes first. */
  readonly answer: A | readonly A[];
  /** Takes from the answer what the saga needs of it. */
  readonly onAnswer?: (ctx: ContextOf<G, InstanceType<A>>) => Sync<void>;
  /** The event, or events, that end the saga in its failure. */
  readonly failure?: F | readonly F[];
  /** Takes from the failure what the saga needs of it. */
  readonly onFailure?: (ctx: ContextOf<G, InstanceType<F>>) => Sync<void>;
  /** How long to wait for the answer; then the saga ends in its failure. Default: for ever. */
  readonly timeout?: Duration;
}

/** A step before the point of no return. */
export interface Step<G extends AnySaga, A extends Event<G>, F extends Event<G>> extends RetriableStep<
  G,
  A,
  F
> {
  /**
   * Undo steps with their inputs: `{ refund: ({ data }) => ({ orderId: data.orderId }) }`. Recorded in the commit that sends the command, so they
   * cover an answer that comes too late, and must bear that the command was never carried out.
   */
  readonly undo?: { readonly [N in keyof Undo<G>]?: (ctx: ContextOf<G, never>) => Undo<G>[N] };
}

/** A step among several at a time. Its time-out is that of all. */
export type Branch<G extends AnySaga, A extends Event<G>, F extends Event<G>> = Omit<
  Step<G, A, F>,
  'answer' | 'timeout'
> & {
  /** The event that ends the step well; each branch has its own. */
  readonly answer: A;
};

/** Takes the steps that are under way at the same time. */
export interface Branches<G extends AnySaga> {
  /** One more. */
  branch<A extends Event<G>, F extends Event<G> = never>(branch: Branch<G, A, F>): Branches<G>;
}

/** As {@link Branches}, after the point of no return. */
export interface RetriableBranches<G extends AnySaga> {
  /** One more; it has no undo. */
  branch<A extends Event<G>, F extends Event<G> = never>(
    branch: Omit<Branch<G, A, F>, 'undo'> & { readonly undo?: never },
  ): RetriableBranches<G>;
}

/** Options of steps in parallel. */
export interface ParallelOptions {
  /** How long to wait for all answers; then the saga ends in its failure. Default: for ever. */
  readonly timeout?: Duration;
}

/** After `steps(definition)`. */
export interface StepsStart<G extends AnySaga> {
  /** The message that starts an instance; the handler makes its whole initial data. */
  startedBy<M extends Event<G>>(
    event: M,
    start: (ctx: StartContextOf<G, InstanceType<M>>) => Sync<G['types']['data']>,
  ): StepsChain<G>;
}

/** Steps before the point of no return. */
export interface StepsChain<G extends AnySaga> {
  /**
   * The next step: a state of the saga, in which it waits for the answer.
   *
   * @param state each state is one step
   */
  step<A extends Event<G>, F extends Event<G> = never>(state: State<G>, step: Step<G, A, F>): StepsChain<G>;
  /** Steps that are under way at the same time: the next one begins when all have their answers. One that fails, fails all. */
  parallel(
    state: State<G>,
    branches: (all: Branches<G>) => Branches<G>,
    options?: ParallelOptions,
  ): StepsChain<G>;
  /** An event that ends the saga in its failure, whichever step it is at. */
  failsOn<M extends Event<G>>(
    event: M,
    onFailure?: (ctx: ContextOf<G, InstanceType<M>>) => Sync<void>,
  ): StepsChain<G>;
  /**
   * The point of no return: when all steps before it have their answers, nothing is undone any more, and what follows has no undo.
   *
   * @param options `failure`: where failures lead from here on; default: where they led before
   */
  pivot(options?: { readonly failure?: End<G> }): RetriableChain<G>;
  /** Where the saga ends when all steps have their answers. */
  finalize(end: End<G>): SagaBehaviour<G>;
  /** Where failures lead; needed where the saga has several ends that mean `undo`, or none. */
  failsTo(end: End<G>): StepsChain<G>;
}

/** Steps after the point of no return. */
export interface RetriableChain<G extends AnySaga> {
  /** The next step; it has no undo. */
  step<A extends Event<G>, F extends Event<G> = never>(
    state: State<G>,
    step: RetriableStep<G, A, F> & { readonly undo?: never },
  ): RetriableChain<G>;
  /** Steps that are under way at the same time; they have no undo. */
  parallel(
    state: State<G>,
    branches: (all: RetriableBranches<G>) => RetriableBranches<G>,
    options?: ParallelOptions,
  ): RetriableChain<G>;
  /** Where the saga ends when all steps have their answers. */
  finalize(end: End<G>): SagaBehaviour<G>;
}
