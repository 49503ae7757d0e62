import type { FrameLetter } from '../../ports/partitioned-transport.js';

type LetterPlace = Pick<FrameLetter, 'letter' | 'partition'>;

/** The name of a letter in its cluster: partition and name there, as one text. */
export function letterName({ partition, letter }: LetterPlace): string {
  return `${partition}:${letter}`;
}

/** What `letterName` has made; undefined: it did not. */
export function letterPlace(name: string): LetterPlace | undefined {
  const [, partition, letter = ''] = /^(\d{1,9}):(.{1,128})$/s.exec(name) ?? [];
  return partition === undefined ? undefined : { partition: Number(partition), letter };
}
