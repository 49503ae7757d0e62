import type { Effect, EventObject, Step } from '@nestjs-orchestrator/statechart';
import type { Cancellable } from '../../ports/clock.js';
import { ActionTimeoutError } from '../errors.js';
import { ActionScope } from './action-scope.js';
import type { InstanceDelivery } from './deliveries.js';
import type { MachineInstance } from './machine-instance.js';
import type { KeptMachine } from '../durable/kept-machine.js';
import type { RemoteMachine } from '../cluster/remote/remote-machine.js';
import { refusalOf } from './refusal.js';

/** An effect with the event and the context of the microstep that it belongs to. */
export interface Act {
  readonly effect: Effect;
  readonly event: EventObject;
  readonly context: unknown;
}

/** What is to be done when a step is adopted: the engine's effects but for actions, and what actions have sent. */
export type Command =
  | Exclude<Effect, { type: 'action' }>
  | { readonly type: 'to'; readonly receiver: Receiver; readonly event: EventObject };

/** Whom a step sends to: a machine of this process, of another one, or a durable one wherever it is. */
type Receiver = MachineInstance | RemoteMachine | KeptMachine;

/** Something that a step has asked and waits for. */
export interface Question {
  /** The step has ended without waiting for the answer. */
  abandon(): void;
}

/** A step with actions: runs them one after the other, without a microtask while they return no promise, and then adopts or fails as a whole. */
export class StepRun {
  readonly commands: Command[] = [];
  reply: unknown = undefined;
  /** Adopted or failed: what actions do from now on is ignored. */
  ended = false;
  private next = 0;
  private questions: Question[] | undefined = undefined;
  private abort: AbortController | undefined = undefined;
  private cancelled: { readonly reason: unknown } | undefined = undefined;
  private timer: Cancellable | undefined = undefined;
  /** The asynchronous action under way, settled when it settles, heeded or not. */
  underWay: Promise<unknown> | undefined = undefined;

  constructor(
    readonly instance: MachineInstance,
    readonly event: EventObject,
    readonly delivery: InstanceDelivery | undefined,
    private readonly acts: readonly Act[],
    private readonly outcome: Pick<Step, 'snapshot' | 'changed'>,
  ) {}

  get signal(): AbortSignal {
    this.abort ??= new AbortController();
    if (this.cancelled !== undefined) this.abort.abort(this.cancelled.reason);
    return this.abort.signal;
  }

  /** Runs as far as it goes without waiting; `false`: an action is asynchronous. */
  proceed(): boolean {
    while (this.next < this.acts.length) {
      const act = this.acts[this.next] as Act;
      this.next += 1;
      if (act.effect.type !== 'action') this.commands.push(act.effect);
      else if (!this.act(act, act.effect)) return this.ended;
    }
    this.finish();
    return true;
  }

  /** The machine ends: its action is told, and no longer waited for. */
  cancel(reason: unknown): void {
    if (this.ended) return;
    this.close();
    this.cancelled = { reason };
    const { delivery } = this;
    if (delivery?.kind === 'request') delivery.fail(reason);
    else if (delivery?.kind === 'start') delivery.failed(reason);
    else if (delivery?.kind === 'arrival') delivery.fail(reason);
    this.abort?.abort(reason);
  }

  /** The step waits for an answer. If it ends before, the question is taken back. */
  asked(request: Question): void {
    (this.questions ??= []).push(request);
  }

  /** true: go on with the next one. */
  private act(act: Act, effect: Extract<Effect, { type: 'action' }>): boolean {
    const { instance } = this;
    const { turns } = instance.core.pool;
    const started = turns.recent();
    let result: unknown;
    try {
      const run = instance.kind.action(effect);
      const scope = new ActionScope(this, act.event, act.context, effect.params);
      result = run(scope, effect.params);
    } catch (error) {
      this.fail(error, effect.name);
      return false;
    }
    const took = turns.read() - started;
    if (took > instance.core.settings.slowStepMs) instance.reportSlow(act.event, 'action', effect.name, took);
    if (this.ended) return false;
    if (!isThenable(result)) return true;
    this.waitFor(result, effect.name);
    return false;
  }

  private waitFor(result: PromiseLike<unknown>, action: string): void {
    const { core } = this.instance;
    if (this.underWay === undefined) core.running += 1;
    this.timer = core.clock.schedule(core.settings.actionTimeoutMs, () => this.timedOut(action));
    this.underWay = Promise.resolve(result).then(
      () => this.settled(undefined),
      (error: unknown) => this.settled(() => this.fail(error, action)),
    );
  }

  private settled(failing: (() => void) | undefined): void {
    if (this.ended) return;
    this.timer?.cancel();
    if (failing !== undefined) failing();
    else if (!this.proceed()) return;
    this.instance.core.resume(this.instance);
  }

  private timedOut(action: string): void {
    const { core, kind } = this.instance;
    const error = new ActionTimeoutError(action, core.settings.actionTimeoutMs);
    core.meters.count('timedOut', kind.id);
    this.fail(error, action);
    this.cancelled = { reason: error };
    this.abort?.abort(error);
    core.resume(this.instance);
  }

  private finish(): void {
    const { instance } = this;
    const refusal = refusalOf(instance, this.commands);
    if (refusal !== undefined) {
      this.fail(refusal, undefined);
      return;
    }
    this.close();
    instance.adopt(this.outcome, this.event, this.delivery, this.commands, this.reply);
  }

  private fail(error: unknown, action: string | undefined): void {
    if (this.ended) return;
    this.close();
    this.instance.stepFailed(this.event, this.delivery, action, error);
  }

  private close(): void {
    this.ended = true;
    this.timer?.cancel();
    if (this.underWay !== undefined) this.instance.core.running -= 1;
    this.questions?.forEach((question) => question.abandon());
    if (this.instance.step === this) this.instance.step = undefined;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
