import type { Cancellable } from '../../ports/clock.js';
import type { DurableEffects } from './durable-effects.js';
import type { DurableGround } from './durable-ground.js';
import type { DurableInstance } from './durable-instance.js';
import type { DurableTimer } from './durable-record.js';

/** The timers of a durable machine in this process: those of its record, and no others. */
export class DurableTimers {
  private readonly armed = new Map<string, Cancellable>();
  private record: readonly DurableTimer[] = [];

  constructor(
    private readonly instance: DurableInstance,
    private readonly ground: DurableGround,
    private readonly effects: DurableEffects,
  ) {}

  follow(timers: readonly DurableTimer[]): void {
    this.record = timers;
    const wanted = new Set(timers.map(({ message }) => message));
    for (const [message, timer] of this.armed) {
      if (wanted.has(message)) continue;
      timer.cancel();
      this.armed.delete(message);
    }
    const now = this.ground.clock.now();
    for (const timer of timers) {
      if (this.armed.has(timer.message)) continue;
      const fire = (): void => this.fire(timer.message);
      this.armed.set(timer.message, this.ground.clock.schedule(Math.max(0, timer.dueAt - now), fire));
    }
  }

  stopAll(): void {
    this.follow([]);
  }

  private fire(message: string): void {
    const timer = this.record.find((each) => each.message === message);
    if (timer === undefined || this.instance.closed) return;
    const { event, stay, to } = timer;
    if (to !== undefined && to !== this.instance.id)
      this.effects.sendLater(to, event, message, () => this.forget(message));
    else
      this.instance
        .handle({ event, messageId: message, ...(stay === undefined ? {} : { stay }) })
        .catch((error: unknown) => this.instance.report('timer', error));
  }

  /** A delayed event for another machine has left: a step without an event takes its timer away. */
  private forget(message: string): void {
    this.instance
      .handle({ event: { type: 'xstate.timer.sent' }, messageId: message, note: true })
      .catch((error: unknown) => this.instance.report('timer', error));
  }
}
