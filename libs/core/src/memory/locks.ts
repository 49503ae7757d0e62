/** What open transactions are writing: nobody else writes it before they end. */
export class Locks {
  private readonly holders = new Map<string, object>();

  /** Whether nobody but `writer` holds one of these. */
  areFree(names: readonly string[], writer: object | null): boolean {
    return names.every((name) => {
      const holder = this.holders.get(name);
      return holder === undefined || holder === writer;
    });
  }

  take(names: readonly string[], writer: object): void {
    for (const name of names) this.holders.set(name, writer);
  }

  releaseAll(writer: object): void {
    for (const [name, holder] of this.holders) if (holder === writer) this.holders.delete(name);
  }
}
