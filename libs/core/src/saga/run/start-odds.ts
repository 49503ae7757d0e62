const MOST = 16;
const PRICE_OF_A_LOSS = 8;

/**
 * Whether a message that can start an instance is likely to do so, from what became of those before it. Messages that come twice, or that also
 * mean something to an instance which exists, are better loaded first.
 */
export class StartOdds {
  private readonly credit = new Map<string, number>();

  areGood(name: string): boolean {
    return (this.credit.get(name) ?? MOST) > 0;
  }

  /** There was no instance, and the message came the first time. */
  started(name: string): void {
    this.credit.set(name, Math.min(MOST, (this.credit.get(name) ?? MOST) + 1));
  }

  /** There was one, or the message had been handled. */
  met(name: string): void {
    this.credit.set(name, Math.max(-MOST, (this.credit.get(name) ?? MOST) - PRICE_OF_A_LOSS));
  }
}
