import { tellable } from '../../errors/tellable.js';
import type { Logger } from '../../ports/logger.js';
import type { DueTimer, TimerRecord } from '../../ports/records.js';
import type { RelayPorts } from './work-relay.js';
import { Courtesy } from './courtesy.js';
import { Pump } from './pump.js';
import { Alone } from './alone.js';
import { isNoFaultOfWork, mayRetry, mustRunAlone, retryDelay, type RetryPolicy } from './retry-policy.js';
import type { Consumed } from './consumer.js';
import { TimerExhaustedError, TimerGiveUpError } from './timer-errors.js';
import { unwritten } from './unwritten.js';

/** Firings that are under way at a time at most: timers that are due all at once must not flood the mailboxes. */
const WINDOW = 400;
/** Timers of one claim. */
const BATCH = 200;
/** So many tries that the pause after them is the longest. */
const MANY = 30;

/** What does with a timer what there is to do. Throwing gives it back, to be fired again later. */
export interface TimerConsumer {
  /** Handles one firing; `settled`: the stay it was armed for is over. */
  fire(timer: DueTimer): Promise<Consumed>;
  /** Its tries are used up, or no further one can succeed. Absent: it is fired again and again, for as long as it takes. */
  giveUpTimer?(timer: DueTimer, error: unknown): Promise<Consumed>;
}

/** Fires the timers that are due, under leases; the commit that handles a firing removes its timer. */
export class TimerRelay {
  private readonly pump: Pump;
  private readonly firing = new Set<Promise<void>>();
  /** There was no room for another claim. */
  private backlog = false;
  private readonly logger: Logger;
  private readonly courtesy: Courtesy;
  /** Fires timers that may end this process. */
  private readonly alone = new Alone();

  constructor(
    private readonly ports: RelayPorts,
    private readonly policy: RetryPolicy,
    pollMs: number,
    private readonly sagas: () => readonly string[],
    private readonly consumerOf: (timer: DueTimer) => TimerConsumer,
  ) {
    this.logger = ports.logger;
    this.courtesy = new Courtesy(ports.clock, ports.random);
    this.pump = new Pump(
      ports.clock,
      pollMs,
      () => this.claim(),
      (error) => this.logger.warn('Looking for due timers failed; trying again', { error: String(error) }),
    );
  }

  start(): void {
    this.pump.start();
  }

  stopPulling(): void {
    this.pump.stop();
  }

  /** Timers were armed by this node: makes sure to look when the first of them is due. */
  armed(timers: readonly TimerRecord[]): void {
    if (timers.length > 0) this.pump.within(Math.min(...timers.map((timer) => timer.delayMs)));
  }

  async idle(): Promise<void> {
    await this.pump.idle();
    await Promise.all(this.firing);
  }

  /** Claims while there is room, without waiting for what is under way: one slow firing must not delay all that come after it. */
  private async claim(): Promise<number | null> {
    const destinations = this.sagas();
    this.backlog = this.firing.size > WINDOW - BATCH;
    if (destinations.length === 0 || this.backlog) return null;
    const request = { ...this.ports.writeOptions(), destinations, limit: BATCH };
    const { items, nextDueMs } = await this.ports.store.claimTimers(request);
    for (const timer of items) this.begin(timer);
    return nextDueMs === null ? null : this.courtesy.after(nextDueMs);
  }

  private begin(timer: DueTimer): void {
    const task = this.one(timer).finally(() => {
      this.firing.delete(task);
      if (!this.backlog || this.firing.size > WINDOW - BATCH) return;
      this.backlog = false;
      this.pump.hint();
    });
    this.firing.add(task);
  }

  private async one(timer: DueTimer): Promise<void> {
    try {
      const fired = await (timer.suspect ? this.fireSuspect(timer) : this.run(timer));
      if (fired === 'settled') await this.ports.store.dropTimer(timer);
    } catch (error) {
      await this.giveBack(timer, error);
    }
  }

  private async giveBack(timer: DueTimer, error: unknown): Promise<void> {
    const { store, clock, random } = this.ports;
    const { maxAttempts } = this.policy;
    const isGivenUp = error instanceof TimerGiveUpError;
    // What was given up in vain is as far as its tries go: the next one is the last again, and tells its own error.
    const attempts = isGivenUp ? MANY : timer.attempts;
    const delay = retryDelay(this.policy, attempts, random.next(), error);
    const fields = { saga: timer.saga, id: timer.id, tenant: timer.tenant, timer: timer.name };
    const isNoFault = isNoFaultOfWork(error);
    const text = `Timer failed, next try in ${delay} ms: ${String(error)}`;
    if (!isNoFault && (isGivenUp || timer.attempts >= maxAttempts)) this.logger.error(text, fields);
    else this.logger.warn(text, fields);
    await store
      .releaseTimer(timer, delay, { now: clock.storeNow() }, !isNoFault && !isGivenUp)
      .catch((failure: unknown) =>
        unwritten(this.logger, 'timer', failure, { ...fields, reason: String(error) }),
      );
    this.courtesy.gaveBack(error);
    this.pump.within(this.courtesy.after(delay));
  }

  private async run(timer: DueTimer): Promise<Consumed> {
    const { maxAttempts } = this.policy;
    const consumer = this.consumerOf(timer);
    if (timer.attempts > maxAttempts && consumer.giveUpTimer !== undefined)
      return giveUp(consumer, timer, new TimerExhaustedError(timer));
    try {
      return await consumer.fire(timer);
    } catch (thrown) {
      const error = tellable(thrown);
      if (isNoFaultOfWork(error) || (mayRetry(error) && timer.attempts < maxAttempts)) throw error;
      return giveUp(consumer, timer, error);
    }
  }

  /** Its last firing ended without a word: this one is counted before it begins. */
  private fireSuspect(timer: DueTimer): Promise<Consumed> {
    const begin = async (): Promise<Consumed> => {
      const attempts = await this.ports.store.beginTimer(timer, this.ports.writeOptions());
      return attempts === null ? 'consumed' : this.run({ ...timer, attempts });
    };
    return mustRunAlone(this.policy, timer.attempts + 1) ? this.alone.run(begin) : begin();
  }
}

/** Asks what becomes of a timer that nothing more can be done for. */
async function giveUp(consumer: TimerConsumer, timer: DueTimer, error: unknown): Promise<Consumed> {
  if (consumer.giveUpTimer === undefined) throw error;
  try {
    return await consumer.giveUpTimer(timer, error);
  } catch (failure) {
    if (isNoFaultOfWork(failure)) throw failure;
    throw new TimerGiveUpError(timer, error, failure);
  }
}
