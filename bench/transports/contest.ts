import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/redis-server.js';
import { sendFrames, sendToMachine } from './faces.js';
import { sendByClient } from './nest.js';
import { publishFrames } from './partitions.js';
import { Receiver, sendMessages } from './receivers.js';
import { itemOf, type Addresses, type PeerOrder, type Sender, type WireName } from './wire.js';

/** Unanswered at a time, where a sender gets promises. */
const IN_FLIGHT = 1_024;
/** Events after which a sender that never waits lets the event loop turn. */
const TURN = 256;

/** A sign of life and a look at the others' come once a second. */
const IDLE_WINDOW_MS = 1_000;
/** Code that runs for the first time takes many times as long: so many milliseconds of it count for nothing, of another size fewer. */
const FIRST_WARM_UP_MS = 1_500;
const WARM_UP_MS = 300;
const WARM_UP_BATCH_MS = 100;
const WARM_UP_TRIPS = 100;
const FEWEST_EVENTS = 200;
const FIRST_EVENTS = 2_000;
/** Of large events fewer: some of the field never wait, and hold all of them in memory. */
const FIRST_BYTES = 16_000_000;
const MOST_BYTES = 128_000_000;

/** Microseconds of round trips. */
export interface Trips {
  readonly p50: number;
  readonly p99: number;
}

/** A sender, which is this process, and its receivers, which are others. */
export class Contest {
  private number = 0;
  private warm = false;

  private constructor(
    private readonly sender: Sender,
    private readonly receivers: readonly Receiver[],
    private readonly folder: string,
  ) {}

  static async open(wire: WireName, receivers: number, addresses: Addresses): Promise<Contest> {
    const folder = mkdtempSync(join(tmpdir(), 'orch-b-'));
    const scope = `bench-${process.pid}-${Date.now().toString(36)}`;
    const ports = await freePorts(wire.carrier === 'tcp' ? receivers : 0);
    const order = { ...wire, addresses, folder, scope, ports };
    const started = await Promise.all(
      Array.from({ length: receivers }, (_, index) => Receiver.start({ ...order, index })),
    );
    return new Contest(await senderOf({ ...order, index: -1 }, started), started, folder);
  }

  /** Events per second, from the first one sent until the last one is counted. */
  async events(count: number, bytes: number): Promise<number> {
    const share = Math.ceil(count / this.receivers.length);
    const counted = this.receivers.map((receiver) => {
      receiver.command({ expect: share });
      return receiver.report((report): report is { counted: number } => 'counted' in report);
    });
    const started = performance.now();
    await this.pour(share, bytes);
    await Promise.all(counted);
    return (share * this.receivers.length) / ((performance.now() - started) / 1_000);
  }

  /** Round trips one after the other; with a pause before each, so that everybody sleeps. */
  async trips(count: number, bytes: number, pauseMs = 0): Promise<Trips> {
    const times: number[] = [];
    for (let at = 0; at < count; at += 1) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const item = itemOf((this.number += 1), bytes);
      const started = performance.now();
      await this.sender.ask(at % this.receivers.length, item);
      times.push((performance.now() - started) * 1_000);
    }
    return summed(times);
  }

  /** Until the code is warm, in each of the processes that share the cores; events per second at the end of it. */
  async warmUp(bytes: number): Promise<number> {
    const each = Math.max(1, (this.receivers.length + 1) / availableParallelism());
    const end = performance.now() + (this.warm ? WARM_UP_MS : FIRST_WARM_UP_MS * each);
    let perSecond = 0;
    do {
      await this.trips(WARM_UP_TRIPS, bytes);
      perSecond = await this.events(eventsIn(WARM_UP_BATCH_MS, perSecond, bytes), bytes);
    } while (performance.now() < end);
    this.warm = true;
    return perSecond;
  }

  /** Events per second of so many takes, each of as many events as take the wanted time, which the warming up and each take tell for the next one. */
  async takes(takes: number, milliseconds: number, bytes: number): Promise<number[]> {
    let perSecond = await this.warmUp(bytes);
    const all: number[] = [];
    for (let take = 0; take < takes; take += 1) {
      perSecond = await this.events(eventsIn(milliseconds, perSecond, bytes), bytes);
      all.push(perSecond);
    }
    return all;
  }

  /** Per cent of a core that a receiver uses while nothing is sent, in the middle one of the seconds that `ms` has: a single collection of garbage is more. */
  async idle(ms: number): Promise<number> {
    const [receiver] = this.receivers;
    const shares: number[] = [];
    for (let left = ms; left > 0; left -= IDLE_WINDOW_MS) {
      receiver?.command({ idleMs: IDLE_WINDOW_MS });
      const report = await receiver?.report((each): each is { idleMicros: number } => 'idleMicros' in each);
      shares.push(((report?.idleMicros ?? NaN) / (IDLE_WINDOW_MS * 1_000)) * 100);
    }
    return summed(shares).p50;
  }

  async close(): Promise<void> {
    await this.sender.close();
    for (const receiver of this.receivers) await receiver.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async pour(share: number, bytes: number): Promise<void> {
    const item = itemOf(0, bytes);
    const flying = new Flying();
    for (let at = 0; at < share; at += 1) {
      for (let to = 0; to < this.receivers.length; to += 1) {
        const taken = this.sender.emit(to, item);
        if (taken !== undefined) flying.add(taken);
      }
      if (flying.count >= IN_FLIGHT) await flying.below(IN_FLIGHT);
      else if (at % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await flying.below(1);
  }
}

/** How many are sent in such a time at such a rate, within limits. */
function eventsIn(milliseconds: number, perSecond: number, bytes: number): number {
  const least = Math.max(FEWEST_EVENTS, Math.min(FIRST_EVENTS, Math.round(FIRST_BYTES / bytes)));
  return Math.max(least, Math.round(Math.min((perSecond * milliseconds) / 1_000, MOST_BYTES / bytes)));
}

export function summed(times: readonly number[]): Trips {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Of an even number of them, between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

/** What is not answered yet: counted, since to race a thousand promises for each event would be most of the work. */
class Flying {
  count = 0;
  private wake: (() => void) | undefined;
  private failure: Error | undefined;

  add(taken: Promise<unknown>): void {
    this.count += 1;
    taken.then(
      () => this.landed(),
      (error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error));
        this.landed();
      },
    );
  }

  async below(limit: number): Promise<void> {
    while (this.count >= limit && this.failure === undefined)
      await new Promise<void>((resolve) => (this.wake = resolve));
    if (this.failure !== undefined) throw this.failure;
  }

  private landed(): void {
    this.count -= 1;
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}

/** So many different ones. */
async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function senderOf(order: PeerOrder, receivers: readonly Receiver[]): Promise<Sender> | Sender {
  if (order.face === 'port') return sendFrames(order, receivers.length);
  if (order.face === 'orchestrator') return sendToMachine(order, receivers.length);
  if (order.face === 'partitions') return publishFrames(order, receivers.length);
  if (order.face === 'nest') return sendByClient(order, receivers.length);
  return sendMessages(receivers);
}
