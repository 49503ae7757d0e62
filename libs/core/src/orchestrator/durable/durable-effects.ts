import type { EventObject } from '@nestjs-orchestrator/statechart';
import { hashedId } from '../../message/hashed-id.js';
import type { Cancellable } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { Target } from '../contexts.js';
import { ActionTimeoutError } from '../errors.js';
import type { DurableGround } from './durable-ground.js';
import type { DurableInstance } from './durable-instance.js';
import type { PendingEffect } from './durable-record.js';

/**
 * What an action of a durable machine is called with. It runs when its step is safe, and again if the process ends before it was done: use `effectId` where
 * the outside must not see it twice.
 */
export interface DurableActionContext {
  readonly event: EventObject;
  /** The machine's context after the microstep that the action belongs to. */
  readonly data: unknown;
  /** XState's word for {@link data}. */
  readonly context: unknown;
  readonly params: unknown;
  readonly machine: { readonly id: string; readonly definition: string };
  /** The same each time that this effect runs; never that of another one. */
  readonly effectId: string;
  /** Aborts when the action takes too long, or the machine goes to another owner. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /**
   * Sends to a durable machine, this one or another, when the action has succeeded. The id of the message depends on `effectId`, so that a repeated
   * action sends nothing twice.
   */
  send(machine: string, event: EventObject): void;
  /** The answer to the request whose event is being handled. The last one counts. */
  reply(value: unknown): void;
}

interface Send {
  readonly to: Target;
  readonly event: EventObject;
}

/** Does what committed steps have asked for: in order, at least once, and knows what is done until the next commit says so. */
export class DurableEffects {
  private readonly done = new Set<string>();
  private readonly underWay = new Set<string>();
  private readonly timers = new Set<Cancellable>();
  private abort: AbortController | undefined;
  private stopped = false;

  constructor(
    private readonly instance: DurableInstance,
    private readonly ground: DurableGround,
  ) {}

  /** Of what was pending: what is not known to be done. A message of this machine to itself is done by its own commit. */
  left(pending: readonly PendingEffect[], handled: string): readonly PendingEffect[] {
    return pending.filter(({ id }) => id !== handled && !this.done.has(id));
  }

  isDone(): boolean {
    return this.underWay.size === 0;
  }

  /** What is not pending any more need not be remembered. */
  committed(pending: readonly PendingEffect[]): void {
    const there = new Set(pending.map(({ id }) => id));
    for (const id of this.done) if (!there.has(id)) this.done.delete(id);
  }

  /** Goes on with what another process has left. */
  async resume(pending: readonly PendingEffect[]): Promise<void> {
    await this.run(pending.filter(({ id }) => !this.done.has(id) && !this.underWay.has(id)));
  }

  stop(): void {
    this.stopped = true;
    this.abort?.abort();
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }

  /** Runs them one after the other; what an action gave to `reply`. Sends don't wait for their receivers. */
  async run(effects: readonly PendingEffect[]): Promise<unknown> {
    let reply: unknown;
    for (const pending of effects) {
      if (this.stopped) return reply;
      const { effect } = pending;
      if (effect.type === 'action') {
        reply = (await this.act(pending, effect)) ?? reply;
        continue;
      }
      if (effect.type === 'send') this.send(effect.to, effect.event, pending.id);
      else {
        if (effect.type === 'emit') this.ground.emitted(this.instance.id, effect.event);
        else
          this.ground.logger.info(`${effect.label ?? 'log'}: ${String(effect.value)}`, {
            machine: this.instance.id,
          });
        this.done.add(pending.id);
      }
    }
    return reply;
  }

  /** Sends until it is safe; then calls back. */
  sendLater(to: string, event: EventObject, id: string, sent: () => void): void {
    this.attempt(id, 1, (message) => this.ground.deliver(to, event, message), sent);
  }

  private send(to: string, event: EventObject, id: string): void {
    this.underWay.add(id);
    this.attempt(id, 1, (message) => this.ground.deliver(to, event, message), nothing);
  }

  private attempt(id: string, attempt: number, work: (id: string) => Promise<void>, sent: () => void): void {
    this.underWay.add(id);
    work(id).then(
      () => {
        this.finished(id);
        sent();
      },
      (error: unknown) => {
        if (this.stopped) return;
        this.instance.report(`Delivery ${attempt} of an event`, error);
        if (this.isHopeless(error, attempt)) {
          this.finished(id);
          sent();
          return;
        }
        const timer = this.ground.clock.schedule(this.pauseOf(attempt), () => {
          this.timers.delete(timer);
          this.attempt(id, attempt + 1, work, sent);
        });
        this.timers.add(timer);
      },
    );
  }

  private isHopeless(error: unknown, attempt: number): boolean {
    const retryable = (error as { readonly retryable?: unknown } | undefined)?.retryable === true;
    return !retryable && attempt >= this.ground.maxEffectAttempts;
  }

  private pauseOf(attempt: number): number {
    return this.ground.effectRetryMs * 2 ** Math.min(attempt - 1, 6);
  }

  private finished(id: string): void {
    this.underWay.delete(id);
    this.done.add(id);
  }

  private async act(
    pending: PendingEffect,
    effect: Extract<PendingEffect['effect'], { type: 'action' }>,
  ): Promise<unknown> {
    this.underWay.add(pending.id);
    for (let attempt = 1; !this.stopped; attempt += 1) {
      await this.ground.faults.reach('durable.effect.before');
      try {
        const { reply, sends } = await this.once(pending, effect);
        await this.ground.faults.reach('durable.effect.after');
        this.sendAll(pending.id, sends);
        return reply;
      } catch (error) {
        if (this.stopped) break;
        this.instance.report(`Attempt ${attempt} of action '${effect.name}'`, error);
        if (attempt >= this.ground.maxEffectAttempts) {
          this.finished(pending.id);
          break;
        }
        await this.pause(attempt);
      }
    }
    return undefined;
  }

  /** The action is done when everything that it has sent is safe. */
  private sendAll(id: string, sends: readonly Send[]): void {
    let left = sends.length;
    if (left === 0) this.finished(id);
    sends.forEach(({ to, event }, n) => {
      this.attempt(
        hashedId(id, `${n}`),
        1,
        (message) => this.ground.deliver(to, event, message),
        () => {
          left -= 1;
          if (left === 0) this.finished(id);
        },
      );
    });
  }

  private pause(attempt: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.ground.clock.schedule(this.pauseOf(attempt), resolve);
      this.timers.add(timer);
    });
  }

  private async once(
    pending: PendingEffect,
    effect: Extract<PendingEffect['effect'], { type: 'action' }>,
  ): Promise<{ readonly reply: unknown; readonly sends: readonly Send[] }> {
    const { instance, ground } = this;
    const abort = (this.abort = new AbortController());
    let reply: unknown;
    const sends: Send[] = [];
    const context = 'context' in pending ? pending.context : instance.context;
    const plain: DurableActionContext = {
      event: pending.event,
      data: context,
      context,
      params: effect.params,
      machine: { id: instance.id, definition: instance.kind.id },
      effectId: pending.id,
      signal: abort.signal,
      logger: ground.logger,
      send: (to, event) => void sends.push({ to, event }),
      reply: (value) => (reply = value),
    };
    const scope = ground.widen(plain, instance);
    const action = instance.kind.action(effect) as unknown as (
      scope: DurableActionContext,
      params: unknown,
    ) => unknown;
    let timer: Cancellable | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = ground.clock.schedule(ground.actionTimeoutMs, () => {
        reject(new ActionTimeoutError(effect.name, ground.actionTimeoutMs));
        abort.abort();
      });
    });
    try {
      await Promise.race([action(scope, effect.params), late]);
      return { reply, sends };
    } finally {
      timer?.cancel();
    }
  }
}

function nothing(): void {}
