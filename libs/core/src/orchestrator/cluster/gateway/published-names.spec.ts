import { expect, it } from 'vitest';
import { silentLogger } from '../../../ports/logger.js';
import type { TransportSeat } from '../../../ports/transport.js';
import { PublishedNames } from './published-names.js';

const till = { name: 'till', incarnation: 'i-1' };

/** What is ready to go on has gone on, so many steps of it. */
async function steps(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
}

/** The names of a cluster, and what the directory has of them. */
function namesOf(settled: () => void = () => undefined) {
  const listed: string[] = [];
  const claim: TransportSeat['claim'] = async (name) => void listed.push(name);
  const names = new PublishedNames({ claim } as TransportSeat, 'plant', silentLogger, settled);
  const held = (name: string): void =>
    names.told(till, { kind: 'held', all: false, names: [[name, 'ledger']], gone: [] });
  return { names, listed, held };
}

it.each(Array.from({ length: 16 }, (_, n) => n))(
  'a name that is held %i steps after another one is published without anything else that happens',
  async (after) => {
    const { listed, held } = namesOf();
    held('books/a');
    if (after > 0) await steps(after);
    held('books/b');
    await steps(50);
    expect(listed).toEqual(['/plant/books/a', '/plant/books/b']);
  },
);

it('so is one that is held because the others are published', async () => {
  const { listed, held } = namesOf(() => {
    if (listed.length === 1) held('books/b');
  });
  held('books/a');
  await steps(50);
  expect(listed).toEqual(['/plant/books/a', '/plant/books/b']);
});
