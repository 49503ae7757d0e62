/** What a greeting means: the gateway is new, was met before, or somebody else's epoch is higher. */
export type Meeting = 'new' | 'known' | 'stale';

/** The gateways that were met, by cluster, and the highest epoch of each. What comes from a former one does not pass. */
export class Fence {
  private readonly present = new Map<
    string,
    { readonly epoch: number; readonly incarnation: string; readonly metAsAnother?: boolean }
  >();
  /** Clusters by the incarnation of their gateway, as long as it is the one with the highest epoch. */
  private readonly passing = new Map<string, string>();

  meet(cluster: string, epoch: number, incarnation: string): Meeting {
    const known = this.present.get(cluster);
    if (known !== undefined && epoch <= known.epoch) {
      const isSame = epoch === known.epoch && incarnation === known.incarnation;
      if (!isSame || known.metAsAnother !== true)
        return isSame && this.passes(incarnation) ? 'known' : 'stale';
    }
    if (known !== undefined) this.passing.delete(known.incarnation);
    this.present.set(cluster, { epoch, incarnation });
    this.passing.set(incarnation, cluster);
    return 'new';
  }

  /** This process is another incarnation from now on: whoever is still a gateway may greet it under the epoch that it has. */
  anew(): void {
    this.passing.clear();
    for (const [cluster, known] of this.present) this.present.set(cluster, { ...known, metAsAnother: true });
  }

  passes(incarnation: string): boolean {
    return this.passing.has(incarnation);
  }

  /** The highest epoch that was heard of; 0: none. */
  epochOf(cluster: string): number {
    return this.present.get(cluster)?.epoch ?? 0;
  }

  /** The gateway with the highest epoch, also when it is gone. */
  presentOf(cluster: string): string | undefined {
    return this.present.get(cluster)?.incarnation;
  }

  /** It is gone; its epoch is remembered. */
  lose(incarnation: string): void {
    this.passing.delete(incarnation);
  }
}
