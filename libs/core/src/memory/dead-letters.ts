import type { DeadLetter, DeadLetterFilter, SettleRequest } from '../ports/index.js';

/** A letter as it is written. */
export type NewLetter = Omit<DeadLetter, 'letter' | 'settled'>;

/** What was given up, oldest first. */
export class DeadLetters {
  private letters: DeadLetter[] = [];
  private written = 0;

  add(letter: NewLetter): void {
    this.letters.push({ ...letter, letter: String(++this.written), settled: null });
  }

  /** Newest first: whoever looks wants to know what goes wrong now. */
  list(filter: DeadLetterFilter): readonly DeadLetter[] {
    return this.letters
      .filter((letter) => matches(letter, filter))
      .toReversed()
      .slice(0, filter.limit)
      .map((letter) => ({ ...letter }));
  }

  /** The letter that was open until now. */
  settle({ tenant, letter, settlement }: SettleRequest, at: number): DeadLetter | null {
    const index = this.letters.findIndex((each) => each.letter === letter && each.tenant === tenant);
    const found = this.letters[index];
    if (found === undefined || found.settled !== null) return null;
    const { verb, by, reason } = settlement;
    this.letters[index] = { ...found, settled: { verb, by, reason, at } };
    return found;
  }

  /** Forgets at most `limit` that were settled before; how many. */
  purge(before: number, limit: number): number {
    const old = this.letters
      .filter(({ settled }) => settled !== null && settled.at <= before)
      .slice(0, limit);
    this.letters = this.letters.filter((letter) => !old.includes(letter));
    return old.length;
  }
}

function matches(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  return (
    (filter.tenant === undefined || letter.tenant === filter.tenant) &&
    (filter.destination === undefined || letter.destination === filter.destination) &&
    (letter.settled !== null) === (filter.settled ?? false) &&
    (filter.before === undefined || Number(letter.letter) < Number(filter.before))
  );
}
