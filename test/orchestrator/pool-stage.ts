import type { Clock } from '../../libs/core/src/ports/clock.js';
import type { PoolOptions } from '@nestjs-orchestrator/core';
import { ChannelPool } from '../../libs/core/src/orchestrator/pool/channel-pool.js';
import { type Delivery, Mailbox, type Waiter } from '../../libs/core/src/orchestrator/pool/mailbox.js';
import { poolSettings } from '../../libs/core/src/orchestrator/pool/pool-settings.js';

/** Time and turns that a test moves by hand. */
export class Stage {
  time = 0;
  readonly soon: (() => void)[] = [];
  readonly turns: (() => void)[] = [];
  readonly timers: { at: number; task: () => void }[] = [];
  readonly clock: Clock = {
    now: () => this.time,
    monotonic: () => this.time,
    storeNow: () => null,
    schedule: (delayMs, task) => {
      const timer = { at: this.time + delayMs, task };
      this.timers.push(timer);
      return { cancel: () => void this.timers.splice(this.timers.indexOf(timer), 1) };
    },
  };
  readonly scheduler = {
    soon: (task: () => void) => void this.soon.push(task),
    nextTurn: (task: () => void) => void this.turns.push(task),
  };

  pool(options: PoolOptions = {}): ChannelPool {
    return new ChannelPool(poolSettings(options), this.scheduler, this.clock);
  }

  /** Runs what is to run before the next turn. */
  settle(): void {
    for (let task = this.soon.shift(); task !== undefined; task = this.soon.shift()) task();
  }

  turn(): void {
    this.settle();
    for (const task of this.turns.splice(0)) {
      task();
      this.settle();
    }
  }

  advance(ms: number): void {
    this.time += ms;
    for (const timer of this.timers.filter(({ at }) => at <= this.time)) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.task();
    }
  }
}

export interface Numbered {
  readonly n: number;
}

export class Box extends Mailbox {
  readonly handled: number[] = [];
  /** What to do with an event; `false`: it goes on asynchronously. */
  does: (n: number) => boolean = () => true;

  constructor(
    pool: ChannelPool,
    private readonly log: string[] = [],
    private readonly name = '',
  ) {
    super(pool.nextSerial());
  }

  override handle(event: object): boolean {
    const { n } = event as Numbered;
    this.handled.push(n);
    this.log.push(`${this.name}${n}`);
    return this.does(n);
  }
}

export class Sender implements Waiter {
  readonly delivery = undefined;
  cancelled = false;
  state: 'waits' | 'accepted' | 'refused' = 'waits';
  constructor(readonly event: Numbered) {}
  accepted(): void {
    this.state = 'accepted';
  }
  refused(): void {
    this.state = 'refused';
  }
}

export const delivery = (): Delivery => ({ kind: 'any', withdrawn: false });

/** As an outside sender does. */
export function send(pool: ChannelPool, box: Mailbox, n: number): Sender {
  const sender = new Sender({ n });
  if (pool.offer(box, sender.event, undefined)) sender.state = 'accepted';
  else pool.wait(box, sender);
  return sender;
}
