import type { Clock, Endpoint } from '@nestjs-orchestrator/core/ports';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { onTestFinished, vi } from 'vitest';
import { settingsOf } from '../../../libs/transports/src/shared-memory/options.js';
import type { Ground } from '../../../libs/transports/src/shared-memory/seat/ground.js';
import type { OwnPlace } from '../../../libs/transports/src/shared-memory/seat/peer-link.js';
import { SharedSeat } from '../../../libs/transports/src/shared-memory/seat/shared-seat.js';
import { takePlace } from '../../../libs/transports/src/shared-memory/seat/take-place.js';
import { layoutOf } from '../../../libs/transports/src/shared-memory/segment/layout.js';
import { SegmentHeader } from '../../../libs/transports/src/shared-memory/segment/header.js';
import { Segment } from '../../../libs/transports/src/shared-memory/segment/segment.js';

/*
 * Seats of one memory whose turns a test decides: the code of seats, loops and lanes as it is, but with bells and turns of the event loop that wait to
 * be let go. No sign of life comes to the help of what was forgotten.
 */

const SHAPE = { maxEndpoints: 3, maxNames: 2, laneBytes: 64 };
/** Milliseconds between two signs of life. */
export const BEAT_MS = 1_000;
const ACCESSES = ['load', 'store', 'compareExchange', 'add'] as const;

/** One that dies in the middle of what it does. */
class Death extends Error {}

/** Runs `work`, and `interrupt` right before the nth access to the control words that it makes. Whether there was such an access. */
export function interrupted(nth: number, work: () => void, interrupt: () => void): boolean {
  const words = Atomics as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = Object.fromEntries(ACCESSES.map((name) => [name, words[name]])) as typeof words;
  const restore = (): void => void Object.assign(words, real);
  let accesses = 0;
  for (const name of ACCESSES) {
    words[name] = (...args) => {
      accesses += 1;
      if (accesses === nth) {
        restore();
        interrupt();
      }
      return real[name]?.(...args);
    };
  }
  try {
    work();
  } finally {
    restore();
  }
  return accesses >= nth;
}

/** Runs `work` until right before its nth access, and never goes on. Whether there was such an access. */
export function broken(nth: number, work: () => void): boolean {
  try {
    return interrupted(nth, work, () => {
      throw new Death();
    });
  } catch (error) {
    if (!(error instanceof Death)) throw error;
    return true;
  }
}

/** Seats around one memory. */
export class Table {
  readonly segment: Segment;
  readonly seats: Sitting[] = [];
  readonly bells = new Set<string>();
  /** Those whose bell rings and who have been told so. */
  readonly roused = new Set<string>();
  readonly dead = new Set<string>();
  readonly turns = new Set<() => void>();
  readonly watches = new Map<string, (() => void)[]>();
  private unlocked: Promise<void> = Promise.resolve();

  constructor() {
    const memory = new SharedArrayBuffer(layoutOf(SHAPE).totalBytes);
    new SegmentHeader(memory).write('table', SHAPE, { device: 0, inode: 0 }, 0);
    this.segment = new Segment(memory, SHAPE);
    vi.stubGlobal('setImmediate', (turn: () => void) => (this.turns.add(turn), turn));
    vi.stubGlobal('clearImmediate', (turn: () => void) => this.turns.delete(turn));
    onTestFinished(() => void vi.unstubAllGlobals());
  }

  /** Somebody holds the lock until the returned function is called. */
  lock(): () => void {
    let unlock = (): void => undefined;
    this.unlocked = new Promise((resolve) => (unlock = resolve));
    return unlock;
  }

  async exclusively<T>(task: () => T): Promise<T> {
    await this.unlocked;
    return task();
  }

  sit(name: string): Sitting {
    return new Sitting(this, name);
  }

  /** Lets those, by default everybody who lives, go on until they have nothing to do. */
  async settle(...only: readonly Sitting[]): Promise<void> {
    const seats = only.length === 0 ? this.seats : only;
    do {
      for (const seat of seats) seat.goOn();
      // Promises of what was done so far.
      for (let each = 0; each < 20; each += 1) await Promise.resolve();
    } while (seats.some((seat) => seat.isReady));
  }

  /** Tells those who watch that one has died. */
  tellDeath({ key }: Sitting): void {
    this.dead.add(key);
    for (const tell of this.watches.get(key) ?? []) tell();
  }
}

/** One seat, and what it was told. */
export class Sitting {
  readonly told: string[] = [];
  readonly seat: SharedSeat;
  readonly key: string;
  readonly place: OwnPlace;
  private readonly turn: () => void;
  private now = 0;
  private nextBeat: (() => void) | undefined;

  constructor(
    private readonly table: Table,
    name: string,
  ) {
    const { segment } = table;
    const ground = groundOf(table, () => this.key);
    const applicant = { cluster: 'table', name, incarnation: `${name}-${table.seats.length}`, pid: 1 };
    const place = takePlace(segment, ground, applicant, () => {});
    this.place = place;
    this.key = keyOf(place.slot, place.generation);
    this.seat = new SharedSeat({
      segment,
      ground,
      place,
      self: { name, incarnation: applicant.incarnation },
      settings: settingsOf({ spinMs: 0, answerSpinMs: 0, heartbeatMs: BEAT_MS, suspectAfterBeats: 3 }),
      options: { cluster: 'table', endpoint: name, clock: this.clock(), logger: silentLogger },
      receiver: {
        onFrame: (from, frame) => void this.told.push(`${from.name}: ${new TextDecoder().decode(frame)}`),
        onPeer: ({ endpoint, state }) => void this.told.push(`${endpoint.name} ${state}`),
      },
    });
    this.turn = (this.seat as unknown as { loop: { run: () => void } }).loop.run;
    table.seats.push(this);
    for (const other of segment.live()) table.bells.add(keyOf(other.slot, other.generation));
    this.seat.start();
  }

  get self(): Endpoint {
    return this.seat.self;
  }

  get isReady(): boolean {
    const { turns, dead } = this.table;
    return !dead.has(this.key) && (this.isRung || turns.has(this.turn));
  }

  /** One turn of its event loop, if there is anything to do. */
  takeTurn(): void {
    if (!this.isReady) return;
    if (this.isRung) {
      this.table.roused.add(this.key);
      this.seat.rung();
    } else if (this.table.turns.delete(this.turn)) this.turn();
  }

  /** Its event loop has come to its turns before it looks at the bell again. */
  private get isRung(): boolean {
    const { bells, roused } = this.table;
    return bells.has(this.key) && !roused.has(this.key);
  }

  /** Turns until there is nothing to do. */
  goOn(): void {
    while (this.isReady) this.takeTurn();
  }

  /** Has its bell rung for nothing. */
  stir(): void {
    this.table.bells.add(this.key);
  }

  /** Gives a sign of life, and looks at those of the others, so many milliseconds after the last time. */
  beat(afterMs: number): void {
    this.now += afterMs;
    this.nextBeat?.();
  }

  trySend(to: Sitting, text: string): boolean {
    return this.seat.trySend(to.self, new TextEncoder().encode(text));
  }

  send(to: Sitting, text: string): Promise<void> {
    return this.seat.send(to.self, new TextEncoder().encode(text));
  }

  /** Beats come when the test says so. */
  private clock(): Clock {
    return {
      ...systemClock,
      monotonic: () => this.now,
      schedule: (_delayMs, run) => {
        this.nextBeat = run;
        return { cancel() {} };
      },
    };
  }
}

const keyOf = (slot: number, generation: number): string => `${slot}-${generation}`;

function groundOf(table: Table, own: () => string): Ground {
  const { segment, bells, roused, dead, watches } = table;
  return {
    exclusively: (task) => table.exclusively(task),
    isAlive: (slot, generation) =>
      !dead.has(keyOf(slot, generation)) && segment.endpoints.isLive(slot, generation),
    ring: (slot, generation) => void bells.add(keyOf(slot, generation)),
    silence: () => {
      bells.delete(own());
      roused.delete(own());
    },
    yieldCore() {},
    watch: (slot, generation, onEnd) => {
      const key = keyOf(slot, generation);
      watches.set(key, [...(watches.get(key) ?? []), onEnd]);
    },
    forget() {},
    remove() {},
    withdraw() {},
    unlink() {},
    close() {},
  };
}
