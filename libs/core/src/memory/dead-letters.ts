import type { DeadLetter } from '../ports/index.js';

/** What was given up, oldest first. */
export class DeadLetters {
  private readonly letters: DeadLetter[] = [];

  add(letter: DeadLetter): void {
    this.letters.push(letter);
  }

  /** Newest first: whoever looks wants to know what goes wrong now. */
  list(filter: { readonly tenant?: string; readonly limit?: number }): readonly DeadLetter[] {
    return this.letters
      .filter((letter) => filter.tenant === undefined || letter.tenant === filter.tenant)
      .reverse()
      .slice(0, filter.limit)
      .map((letter) => ({ ...letter }));
  }
}
