import { expect, it } from 'vitest';
import { memoryNetwork, memoryTransport } from '../../memory/index.js';
import { silentLogger } from '../../ports/logger.js';
import { systemClock } from '../../ports/system-clock.js';
import { LastingSeat } from './lasting-seat.js';

/** What is ready to go on has gone on, so many steps of it. */
async function steps(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
}

it.each(Array.from({ length: 12 }, (_, n) => n))(
  'a process that loses its place again just as it is back, %i steps after, comes back again',
  async (after) => {
    const network = memoryNetwork();
    const ways: (() => void)[] = [];
    const seat = await LastingSeat.join({
      cluster: 'shop',
      clock: systemClock,
      logger: silentLogger,
      receiver: { onFrame: () => undefined, onPeer: () => undefined },
      join: (receiver) =>
        memoryTransport(network).join(
          { cluster: 'shop', endpoint: 'one', clock: systemClock, logger: silentLogger },
          receiver,
        ),
      lost: () => undefined,
      enter: () => new Promise((resolve) => ways.push(resolve)),
      regained: () => undefined,
    });
    network.expel(seat.self);
    await steps(50);
    const second = seat.self;
    ways.shift()?.();
    if (after > 0) await steps(after);
    network.expel(second);
    await steps(50);
    expect(ways).toHaveLength(1);
    ways.shift()?.();
    await steps(50);
    expect(seat.self.incarnation).not.toBe(second.incarnation);
    expect(seat.trouble).toBeUndefined();
    await seat.claim('till', 'a name');
    expect(await seat.locate('till')).toMatchObject({ endpoint: seat.self });
    await seat.leave();
  },
);
