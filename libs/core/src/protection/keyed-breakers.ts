import type { Policy } from '../resilience/policies/policy.js';

/** Breakers made for each key, a bounded number of them. */
export class KeyedBreakers {
  private readonly breakers = new Map<string, Policy>();

  constructor(
    private readonly make: (key: string) => Policy,
    private readonly most: number,
  ) {}

  of(key: string): Policy {
    const known = this.breakers.get(key);
    if (known !== undefined) {
      this.breakers.delete(key);
      this.breakers.set(key, known);
      return known;
    }
    const [oldest] = this.breakers.keys();
    if (this.breakers.size >= this.most && oldest !== undefined) this.breakers.delete(oldest);
    const made = this.make(key);
    this.breakers.set(key, made);
    return made;
  }
}
