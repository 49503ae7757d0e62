import type { Cancellable, Clock } from '../../ports/clock.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type { PoolStatistics } from '../statistics.js';
import { Channel, type Ticket } from './channel.js';
import type { Delivery, Mailbox, Waiter } from './mailbox.js';
import type { PoolSettings } from './pool-settings.js';
import { Ring } from './ring.js';
import { Turns } from './turns.js';

/**
 * Runs mailboxes in channels, turn by turn. A mailbox keeps its events; a channel holds the ready ones, each once, and counts their events against a
 * budget. So the pool grows and shrinks by moving mailboxes between channels, and no event ever changes its place.
 */
export class ChannelPool {
  readonly turns: Turns;
  private channels: Channel[] = [];
  /** Counts the changes of `channels`. */
  private layout = 0;
  private readonly round = new Ring<Channel>();
  private ticketNumber = 0;
  private running: Mailbox | undefined = undefined;
  private serials = 0;
  private growths = 0;
  private shrinks = 0;
  private grewInTurn = -1;
  /** The most that was in use since the pool was looked at for shrinking. */
  private peakUse = 0;
  private readonly quietWaiters: (() => void)[] = [];
  private shrinkTimer: Cancellable | undefined = undefined;

  constructor(
    readonly settings: PoolSettings,
    scheduler: Scheduler,
    private readonly clock: Clock,
  ) {
    this.turns = new Turns(scheduler, clock, settings.sliceMs, () => this.work());
    this.channels = channels(settings.poolSize);
  }

  nextSerial(): number {
    return (this.serials += 1);
  }

  /** Milliseconds, for measuring. */
  now(): number {
    return this.clock.monotonic();
  }

  /** From outside: takes the event if the budgets have room and nobody waits. */
  offer(mailbox: Mailbox, event: object, delivery: Delivery | undefined): boolean {
    if (!this.hasRoom(mailbox)) return false;
    this.deliver(mailbox, event, delivery);
    return true;
  }

  /** From outside: in line behind those who wait already. */
  wait(mailbox: Mailbox, waiter: Waiter): void {
    mailbox.line ??= new Ring();
    mailbox.line.push(waiter);
    this.giveTickets(mailbox);
  }

  /** From a step, a timer or an outcome: never waits. */
  deliver(mailbox: Mailbox, event: object, delivery: Delivery | undefined): void {
    mailbox.push(event, delivery);
    if (mailbox.phase === 'idle') this.makeReady(mailbox);
    else if (mailbox.phase !== 'busy') this.channelOf(mailbox).queued += 1;
  }

  /** Takes a queued event out again. */
  withdraw(mailbox: Mailbox, delivery: Delivery): void {
    mailbox.withdraw(delivery);
    if (mailbox.phase === 'ready' || mailbox.phase === 'running') this.channelOf(mailbox).queued -= 1;
    this.progress(mailbox);
  }

  /** The asynchronous part of a step is over. */
  resume(mailbox: Mailbox): void {
    mailbox.phase = 'idle';
    if (mailbox.queued > 0) this.makeReady(mailbox);
    this.progress(mailbox);
  }

  /** Takes a mailbox out: it ends. Events and senders that wait are handed to `each`. */
  remove(mailbox: Mailbox, each: (event: object, delivery: Delivery | undefined) => void): Waiter[] {
    const counted = mailbox.phase === 'ready' || mailbox.phase === 'running';
    if (counted) this.channelOf(mailbox).queued -= mailbox.queued;
    mailbox.clear(each);
    const waiters: Waiter[] = [];
    for (let waiter = mailbox.line?.shift(); waiter !== undefined; waiter = mailbox.line?.shift()) {
      if (!waiter.cancelled) waiters.push(waiter);
    }
    mailbox.line = undefined;
    if (counted) this.serve(this.channelOf(mailbox));
    return waiters;
  }

  /** Settles when no mailbox is ready. */
  quiet(): Promise<void> {
    if (this.round.size === 0 && this.running === undefined) return Promise.resolve();
    return new Promise((resolve) => this.quietWaiters.push(resolve));
  }

  statistics(): PoolStatistics {
    const { growths, shrinks, turns } = this;
    return {
      channels: this.channels.length,
      queued: this.sum((channel) => channel.queued),
      readyMailboxes: this.sum((channel) => channel.ready.size),
      utilization: this.utilization(),
      growths,
      shrinks,
      turns: turns.count,
      longestTurnMs: turns.longestMs,
    };
  }

  private sum(of: (channel: Channel) => number): number {
    return this.channels.reduce((sum, channel) => sum + of(channel), 0);
  }

  private utilization(): number {
    return this.sum(({ queued }) => queued) / (this.channels.length * this.settings.channelBudget);
  }

  private hasRoom(mailbox: Mailbox): boolean {
    if (mailbox.line !== undefined && mailbox.line.size > 0) return false;
    if (mailbox.queued >= this.settings.mailboxBudget) return false;
    const channel = this.channelOf(mailbox);
    if (channel.tickets.size === 0 && channel.queued < this.settings.channelBudget) return true;
    return this.grow() && this.hasRoom(mailbox);
  }

  private channelOf(mailbox: Mailbox): Channel {
    if (mailbox.layout !== this.layout || mailbox.channel === undefined) {
      mailbox.channel = this.channels[mailbox.serial % this.channels.length] as Channel;
      mailbox.layout = this.layout;
    }
    return mailbox.channel;
  }

  private makeReady(mailbox: Mailbox): void {
    const channel = this.channelOf(mailbox);
    mailbox.phase = 'ready';
    channel.queued += mailbox.queued;
    channel.ready.push(mailbox);
    if (!channel.inRound) {
      channel.inRound = true;
      this.round.push(channel);
    }
    this.turns.wake();
  }

  /** One mailbox of each channel in turn, until nothing is ready or the slice is used up; whether something is left. */
  private work(): boolean {
    if (this.shrinkTimer !== undefined) this.peakUse = Math.max(this.peakUse, this.utilization());
    const { round, turns } = this;
    for (let channel = round.shift(); channel !== undefined; channel = round.shift()) {
      const mailbox = channel.ready.shift();
      if (mailbox !== undefined) this.run(mailbox);
      this.goOn(channel);
      if (turns.over && round.size > 0) return true;
    }
    for (const tell of this.quietWaiters.splice(0)) tell();
    return false;
  }

  private goOn(channel: Channel): void {
    channel.inRound = false;
    if (channel.ready.size === 0) return;
    channel.inRound = true;
    this.round.push(channel);
  }

  private run(mailbox: Mailbox): void {
    const { turns } = this;
    mailbox.phase = 'running';
    this.running = mailbox;
    for (let left = this.settings.mailboxSlice; left > 0 && !turns.over; left -= 1) {
      const event = mailbox.take();
      if (event === undefined) break;
      this.channelOf(mailbox).queued -= 1;
      const finished = handled(mailbox, event);
      turns.stepDone();
      if (finished) continue;
      mailbox.phase = 'busy';
      this.channelOf(mailbox).queued -= mailbox.queued;
      break;
    }
    this.running = undefined;
    if (mailbox.phase === 'running') this.stand(mailbox);
    this.progress(mailbox);
  }

  private stand(mailbox: Mailbox): void {
    if (mailbox.queued === 0) {
      mailbox.phase = 'idle';
      return;
    }
    const channel = this.channelOf(mailbox);
    mailbox.phase = 'ready';
    channel.ready.push(mailbox);
    if (!channel.inRound) {
      channel.inRound = true;
      this.round.push(channel);
    }
  }

  /** There is more room than before: lets those in who wait for it. */
  private progress(mailbox: Mailbox): void {
    if (mailbox.line !== undefined) this.giveTickets(mailbox);
    const channel = this.channelOf(mailbox);
    if (channel.tickets.size > 0) this.serve(channel);
  }

  /** Those in the mailbox's line for whom the mailbox itself has room wait for the channel alone. */
  private giveTickets(mailbox: Mailbox): void {
    const waiting = mailbox.line?.size ?? 0;
    const room = this.settings.mailboxBudget - mailbox.queued;
    const { tickets } = this.channelOf(mailbox);
    while (mailbox.tickets < waiting && mailbox.tickets < room) {
      mailbox.tickets += 1;
      tickets.push({ number: (this.ticketNumber += 1), mailbox });
    }
  }

  private serve(channel: Channel): void {
    while (channel.queued < this.settings.channelBudget) {
      const ticket = channel.tickets.shift();
      if (ticket === undefined) return;
      ticket.mailbox.tickets -= 1;
      this.admit(ticket.mailbox);
    }
  }

  private admit(mailbox: Mailbox): void {
    if (mailbox.queued >= this.settings.mailboxBudget) return;
    const waiter = mailbox.line?.shift();
    if (waiter === undefined) return;
    if (waiter.cancelled) {
      this.giveTickets(mailbox);
      return;
    }
    this.deliver(mailbox, waiter.event, waiter.delivery);
    waiter.accepted();
  }

  /** Once a turn at most, so that one burst does not make all channels at once. */
  private grow(): boolean {
    const { allowGrowth, maxPoolSize, growthFactor } = this.settings;
    const size = this.channels.length;
    if (!allowGrowth || size >= maxPoolSize || this.grewInTurn === this.turns.count) return false;
    this.grewInTurn = this.turns.count;
    this.growths += 1;
    this.rearrange(Math.min(maxPoolSize, Math.ceil(size * growthFactor)));
    if (this.shrinkTimer === undefined) this.watchUse();
    this.peakUse = 1;
    return true;
  }

  /** As long as there are more channels than at the beginning, looks now and then whether they were needed. */
  private watchUse(): void {
    this.peakUse = this.utilization();
    this.shrinkTimer = this.clock.schedule(this.settings.shrinkAfterMs, () => {
      this.shrinkTimer = undefined;
      if (this.peakUse < this.settings.shrinkThreshold) this.shrink();
      if (this.channels.length > this.settings.poolSize) this.watchUse();
    });
  }

  private shrink(): void {
    this.shrinks += 1;
    this.rearrange(
      Math.max(this.settings.poolSize, Math.floor(this.channels.length / this.settings.growthFactor)),
    );
  }

  /** Makes it so many channels, and moves ready mailboxes and tickets over, in order. All other mailboxes follow when they are used next. */
  private rearrange(size: number): void {
    const before = this.channels;
    this.channels = channels(size);
    this.layout += 1;
    while (this.round.shift() !== undefined);
    if (this.running !== undefined) this.channelOf(this.running).queued += this.running.queued;
    const tickets: Ticket[] = [];
    for (const { ready, tickets: waiting } of before) {
      for (let mailbox = ready.shift(); mailbox !== undefined; mailbox = ready.shift())
        this.makeReady(mailbox);
      for (let ticket = waiting.shift(); ticket !== undefined; ticket = waiting.shift()) tickets.push(ticket);
    }
    tickets.sort((a, b) => a.number - b.number);
    for (const ticket of tickets) this.channelOf(ticket.mailbox).tickets.push(ticket);
    for (const channel of this.channels) if (channel.tickets.size > 0) this.serve(channel);
  }
}

function channels(size: number): Channel[] {
  return Array.from({ length: size }, () => new Channel());
}

/** What a logger or another hook throws must not take the pool along: it reaches the process as an uncaught error. */
function handled(mailbox: Mailbox, event: object): boolean {
  const { taken } = mailbox;
  // Kept, it would keep alive whoever waits for the answer.
  mailbox.taken = undefined;
  try {
    return mailbox.handle(event, taken);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return true;
  }
}
