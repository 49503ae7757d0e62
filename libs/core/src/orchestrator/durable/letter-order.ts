import type { FrameLetter, LetterRange } from '../../ports/partitioned-transport.js';

/** Letters of one partition that are read at a time: frames may be large, and all partitions are read at once. */
const PAGE = 16;

type Read = (limit: number, of?: LetterRange) => Promise<readonly FrameLetter[]>;

/**
 * Letters of all partitions, or of one, oldest first; of each partition at most a page is in memory. What is written meanwhile comes as well, or does not; what is
 * settled meanwhile may still come.
 */
export async function* lettersInOrder(read: Read, partition?: number): AsyncGenerator<FrameLetter> {
  let known = await read(PAGE, partition === undefined ? undefined : { partition });
  const pages = new Map<number, number>();
  for (const letter of known) pages.set(letter.partition, (pages.get(letter.partition) ?? 0) + 1);
  const left = new Map(pages);
  for (let [letter] = known; letter !== undefined; [letter] = known) {
    const of = letter.partition;
    const remaining = (left.get(of) ?? 0) - 1;
    left.set(of, remaining);
    yield letter;
    known = known.slice(1);
    if (remaining > 0 || (pages.get(of) ?? 0) < PAGE) continue;
    const page = await read(PAGE, { partition: of, letter: letter.letter });
    pages.set(of, page.length);
    left.set(of, page.length);
    known = [...known, ...page].toSorted((one, other) => one.at - other.at);
  }
}
