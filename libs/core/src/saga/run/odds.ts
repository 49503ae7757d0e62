const MOST = 16;
const PRICE_OF_A_LOSS = 8;

/**
 * Whether a short cut is likely to work for messages of a kind, from what became of those before: to create an instance without a load (messages that
 * come twice, or that also mean something to an instance which exists, are better loaded first), or to handle a message before it is a row.
 */
export class Odds {
  private readonly credit = new Map<string, number>();

  areGood(name: string): boolean {
    return (this.credit.get(name) ?? MOST) > 0;
  }

  /** It worked, or would have. */
  won(name: string): void {
    this.credit.set(name, Math.min(MOST, (this.credit.get(name) ?? MOST) + 1));
  }

  lost(name: string): void {
    this.credit.set(name, Math.max(-MOST, (this.credit.get(name) ?? MOST) - PRICE_OF_A_LOSS));
  }
}
