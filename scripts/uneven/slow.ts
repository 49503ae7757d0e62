/** What slowed `await`s call, see `slow-awaits.ts`; and virtual time, which waits for them as for all that is real. */
import { Settling } from '../../libs/testing/src/clock/settling.js';

const later = globalThis.setTimeout;
const scale = Number(process.env['SLOW_SCALE'] ?? 1);

/** How many are taking long, and who waits for their end: of the whole process, though files of tests load this one by one. */
interface Pending {
  count: number;
  readonly awaited: (() => void)[];
}

const PENDING = Symbol.for('uneven.pending');
const shared = globalThis as { [PENDING]?: Pending };
const pending: Pending = (shared[PENDING] ??= { count: 0, awaited: [] });

async function slow(ms: number, awaited: unknown): Promise<unknown> {
  try {
    return await awaited;
  } finally {
    pending.count += 1;
    await new Promise<void>((resolve) => later(resolve, ms * Math.random() * scale));
    pending.count -= 1;
    if (pending.count === 0) for (const resolve of pending.awaited.splice(0)) resolve();
  }
}

Object.assign(globalThis, { __slow: slow });

const SLOW = Symbol.for('uneven.settled');
const clock = Settling.prototype as Settling & { [SLOW]?: true };
if (clock[SLOW] === undefined) {
  clock[SLOW] = true;
  const settled = Reflect.get(clock, 'settled');
  clock.settled = async function (this: Settling): Promise<void> {
    await Reflect.apply(settled, this, []);
    while (pending.count > 0) {
      await new Promise<void>((resolve) => pending.awaited.push(resolve));
      await Reflect.apply(settled, this, []);
    }
  };
}
