import type { EventObject, EventOf, Machine } from '@nestjs-orchestrator/statechart';
import { tellable } from '../../errors/tellable.js';
import type { Logger } from '../../ports/logger.js';
import type { ActivityContext, Target } from '../contexts.js';
import { KeptMachine } from '../durable/kept-machine.js';
import { askRemote } from '../cluster/remote/remote-ref.js';
import type { EventResult, RequestOptions } from '../machine-ref.js';
import type { RecordedMachine } from '../records.js';
import type { Stay } from './deliveries.js';
import type { MachineInstance } from './machine-instance.js';

type Activity = (ctx: ActivityContext) => unknown;

/** An activity under way, beside its machine. What comes of it after its end is not handed over. */
export class ActivityRun {
  private readonly abort = new AbortController();
  private cleanUp: (() => unknown) | undefined = undefined;
  private underWay: Promise<void> | undefined = undefined;
  private over = false;

  constructor(
    readonly owner: MachineInstance,
    private readonly id: string,
    private readonly stay: Stay | undefined,
  ) {}

  begin(run: Activity, name: string, input: unknown): void {
    const { core } = this.owner;
    core.activities += 1;
    const started = core.pool.turns.recent();
    let result: unknown;
    try {
      result = run(new ActivityScope(this.owner, this.id, this.abort.signal, input));
    } catch (error) {
      this.failed(error);
      return;
    } finally {
      const took = core.pool.turns.read() - started;
      if (took > core.settings.slowStepMs) this.owner.reportSlow(undefined, 'activity', name, took);
    }
    if (typeof result === 'function') this.keepCleanUp(result as () => unknown);
    else if (isThenable(result)) {
      this.underWay = Promise.resolve(result).then(
        (output) => this.done(output),
        (error: unknown) => this.failed(error),
      );
    } else this.done(result);
  }

  /** Its state is left, or its machine ends. */
  stop(): void {
    if (this.over) return;
    this.close();
    this.abort.abort();
    if (this.cleanUp !== undefined) this.runCleanUp(this.cleanUp);
    if (this.underWay !== undefined) this.owner.core.awaitEnd(this.underWay);
  }

  /** It may have been stopped by what it did itself before it returned. */
  private keepCleanUp(cleanUp: () => unknown): void {
    this.cleanUp = cleanUp;
    if (this.over) this.runCleanUp(cleanUp);
  }

  private runCleanUp(cleanUp: () => unknown): void {
    const failed = (error: unknown): void => this.owner.reportFailure('cleanup', undefined, error);
    try {
      const result = cleanUp();
      if (isThenable(result)) this.owner.core.awaitEnd(Promise.resolve(result).then(undefined, failed));
    } catch (error) {
      failed(error);
    }
  }

  private done(output: unknown): void {
    if (this.over) return;
    this.close();
    this.owner.core.tellOutcome(this.owner, { done: this.id, output }, this.stay);
  }

  private failed(thrown: unknown): void {
    const error = tellable(thrown);
    if (this.over) {
      if (!this.isOwnAbort(error)) this.owner.reportFailure('late-activity', undefined, error);
      return;
    }
    this.close();
    this.owner.core.tellOutcome(this.owner, { failed: this.id, error }, this.stay);
  }

  /** An activity that heeds its signal rejects with the abort; that is no failure. */
  private isOwnAbort(error: unknown): boolean {
    return error === this.abort.signal.reason || (error instanceof Error && error.name === 'AbortError');
  }

  private close(): void {
    this.over = true;
    const { owner, id } = this;
    owner.core.activities -= 1;
    if (owner.activities?.get(id) === this) owner.activities.delete(id);
  }
}

class ActivityScope implements ActivityContext {
  readonly data: never;
  readonly input: never;

  constructor(
    private readonly owner: MachineInstance,
    readonly id: string,
    readonly signal: AbortSignal,
    input: unknown,
  ) {
    this.data = owner.snapshot?.context as never;
    this.input = input as never;
  }

  get machine(): RecordedMachine {
    return this.owner.identity();
  }

  get logger(): Logger {
    return this.owner.core.logger;
  }

  async sendSelf(event: EventOf<Machine>): Promise<void> {
    if (!this.signal.aborted) await this.owner.core.reception.send(this.owner, event);
  }

  async send(target: Target, event: EventObject): Promise<void> {
    const receiver = this.owner.core.receiverOf(target, this.owner);
    await ('core' in receiver ? receiver.core.reception.send(receiver, event) : receiver.send(event));
  }

  async request(target: Target, event: EventObject, options: RequestOptions = {}): Promise<EventResult> {
    const receiver = this.owner.core.receiverOf(target, this.owner);
    if ('core' in receiver) return receiver.core.reception.ask(receiver, event, options);
    if (receiver instanceof KeptMachine) return receiver.request(event, options, undefined);
    options.signal?.throwIfAborted();
    return askRemote(receiver, event, options, undefined).promise;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
