import { ConsoleLogger } from '@nestjs/common';
import { expect, it } from 'vitest';
import { WayBack } from './way-back.js';

/** What is ready to go on has gone on, so many steps of it. */
async function steps(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
}

it.each(Array.from({ length: 8 }, (_, n) => n))(
  'a place that is lost %i steps after it was found is followed by another one',
  async (after) => {
    const found: (() => void)[] = [];
    const way = new WayBack(
      () => new Promise((resolve) => found.push(resolve)),
      new ConsoleLogger({ logLevels: [] }),
    );
    way.begin();
    found[0]?.();
    if (after > 0) await steps(after);
    way.begin();
    await steps(20);
    expect(found).toHaveLength(2);
    found[1]?.();
    await steps(20);
    expect(found).toHaveLength(2);
    await way.end();
    way.begin();
    expect(found).toHaveLength(2);
  },
);
