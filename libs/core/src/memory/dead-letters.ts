import type { DeadLetter, DeadLetterFilter, SettleRequest } from '../ports/index.js';

/** A letter as it is written. */
export type NewLetter = Omit<DeadLetter, 'letter' | 'settled'>;

/** What was given up: open letters and settled ones apart, each in the order in which they were written. */
export class DeadLetters {
  private readonly open: DeadLetter[] = [];
  private settled: DeadLetter[] = [];
  private written = 0;

  add(letter: NewLetter): void {
    this.open.push({ ...letter, letter: String(++this.written), settled: null });
  }

  /** Newest first: whoever looks wants to know what goes wrong now. */
  list({ tenant, destination, settled, before, limit = Infinity }: DeadLetterFilter): readonly DeadLetter[] {
    const all = settled === true ? this.settled : this.open;
    const found: DeadLetter[] = [];
    for (let n = before === undefined ? all.length : placeOf(all, before); n > 0 && found.length < limit;) {
      const letter = all[--n] as DeadLetter;
      if ((tenant ?? letter.tenant) !== letter.tenant) continue;
      if ((destination ?? letter.destination) !== letter.destination) continue;
      found.push({ ...letter });
    }
    return found;
  }

  /** The letter that was open until now. */
  settle({ tenant, letter, settlement }: SettleRequest, at: number): DeadLetter | null {
    const place = placeOf(this.open, letter);
    const found = this.open[place];
    if (found === undefined || found.letter !== letter || found.tenant !== tenant) return null;
    const { verb, by, reason } = settlement;
    this.open.splice(place, 1);
    this.settled.splice(placeOf(this.settled, letter), 0, { ...found, settled: { verb, by, reason, at } });
    return found;
  }

  /** Forgets at most `limit` that were settled before; how many. */
  purge(before: number, limit: number): number {
    const old = new Set(
      this.settled.filter(({ settled }) => settled !== null && settled.at <= before).slice(0, limit),
    );
    this.settled = this.settled.filter((letter) => !old.has(letter));
    return old.size;
  }
}

/** How many letters come before that one. */
function placeOf(letters: readonly DeadLetter[], letter: string): number {
  const number = Number(letter);
  let [from, to] = [0, letters.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (Number(letters[middle]?.letter) < number) from = middle + 1;
    else to = middle;
  }
  return from;
}
