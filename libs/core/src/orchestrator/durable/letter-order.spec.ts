import { array, assert, asyncProperty, nat } from 'fast-check';
import { expect, it } from 'vitest';
import type { FrameLetter } from '../../ports/partitioned-transport.js';
import { lettersInOrder } from './letter-order.js';

/** A server that keeps letters, each partition in its order. */
function serverOf(partitions: readonly (readonly number[])[]) {
  const kept = partitions.map((times, partition) =>
    times
      .toSorted((one, other) => one - other)
      .map((at, n): FrameLetter => {
        const letter = String(n).padStart(4, '0');
        return { partition, letter, at, name: 'm', bytes: new Uint8Array(), reason: '', attempts: 1 };
      }),
  );
  const pages: number[] = [];
  return {
    pages,
    all: kept.flat(),
    read: async (limit: number, of?: { readonly partition: number; readonly letter?: string }) => {
      const wanted = of === undefined ? kept : [kept[of.partition] ?? []];
      const found = wanted.map((letters) =>
        letters.filter(({ letter }) => letter > (of?.letter ?? '')).slice(0, limit),
      );
      pages.push(Math.max(0, ...found.map(({ length }) => length)));
      return found.flat().toSorted((one, other) => one.at - other.at);
    },
  };
}

async function listOf<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of source) found.push(each);
  return found;
}

const times = array(array(nat(200), { maxLength: 70 }), { maxLength: 6 });

it('letters come once each and oldest first, however they are spread, a page of each partition at a time', async () => {
  await assert(
    asyncProperty(times, async (partitions) => {
      const { read, all, pages } = serverOf(partitions);
      const found = await listOf(lettersInOrder(read));
      expect(found.map(({ at }) => at)).toEqual(all.map(({ at }) => at).toSorted((a, b) => a - b));
      expect(new Set(found)).toEqual(new Set(all));
      expect(Math.max(...pages)).toBeLessThanOrEqual(16);
    }),
  );
});

it('letters of one partition are read there only', async () => {
  const { read, all } = serverOf([[1, 5], Array.from({ length: 40 }, (_, n) => n)]);
  const found = await listOf(lettersInOrder(read, 1));
  expect(found).toEqual(all.filter(({ partition }) => partition === 1));
});

it('who stops reading asks for no further page', async () => {
  const { read, pages } = serverOf([Array.from({ length: 40 }, (_, n) => n)]);
  for await (const { at } of lettersInOrder(read)) if (at === 10) break;
  expect(pages).toEqual([16]);
});
