import type {
  ActionNameOf,
  ActivityContext,
  ActivityNameOf,
  DelayNameOf,
  Duration,
  GuardContext,
  GuardNameOf,
  Machine,
  MachineContextOf,
  MachineEventOf,
  MachineStateOf,
  OrchestratedContext,
  RecordedMachine,
  Snapshot,
} from '@nestjs-orchestrator/core';
import type { MethodDecoratorFor } from '../saga/saga-decorators.types.js';

/** A step of a machine that was adopted. */
export interface MachineTransition<M extends Machine = Machine> {
  readonly machine: RecordedMachine;
  /** The event that the step began with. */
  readonly event: MachineEventOf<M>;
  readonly before: Snapshot<MachineContextOf<M>>;
  readonly after: Snapshot<MachineContextOf<M>>;
}

/** Which transitions a method is told of; all that is given must hold. */
export interface TransitionFilter<M extends Machine> {
  /** Only those that leave this state. */
  readonly from?: MachineStateOf<M>;
  /** Only those that arrive in this state, which the machine was not in before. */
  readonly to?: MachineStateOf<M>;
  /** Only those that this event began. */
  readonly on?: MachineEventOf<M> extends { readonly type: infer T } ? T : never;
}

/** What a delay may be: a length of time, or a pure function that returns milliseconds. */
export type DelayMember<M extends Machine> =
  number | Duration | ((ctx: GuardContext<M>, params: never) => number);

/** The decorators of one machine; see {@link machineDecorators}. */
export interface MachineDecorators<M extends Machine> {
  /** Marks the class that implements the machine's names. Applies `@Injectable()`; the class is a stateless singleton. */
  readonly Machine: () => (target: new (...args: never[]) => object) => void;
  /** Runs when the config names this action. Its second argument are the action's `params`. */
  readonly Action: (
    name: ActionNameOf<M>,
  ) => MethodDecoratorFor<(ctx: OrchestratedContext<M>, params: never) => void | Promise<void>>;
  /** Decides when the config names this guard: pure and synchronous. */
  readonly Guard: (
    name: GuardNameOf<M>,
  ) => MethodDecoratorFor<(ctx: GuardContext<M>, params: never) => boolean>;
  /** Runs while the state lasts that invokes this `src`. What it returns is the output of its done event; what it throws its error. */
  readonly Activity: (
    name: ActivityNameOf<M>,
  ) => MethodDecoratorFor<(ctx: ActivityContext<M, never>) => unknown>;
  /** The length of the delay of that name: a property, read once when the application starts, or a method that computes it. */
  readonly Delay: (
    name: DelayNameOf<M>,
  ) => <K extends string | symbol, T extends { readonly [P in K]: DelayMember<M> }>(
    target: T,
    key: K,
    descriptor?: unknown,
  ) => void;
  /** Is told of transitions after they were adopted. What it throws is logged and changes nothing. */
  readonly OnTransition: (
    filter?: TransitionFilter<M>,
  ) => MethodDecoratorFor<(transition: MachineTransition<M>) => void | Promise<void>>;
}
