import type { Endpoint, Peer } from '@nestjs-orchestrator/core/ports';

/** Tells those who may send that this is the end, and waits until each has heard it: what it sent before has come in then. */
export class Farewell {
  private readonly missing = new Set<string>();
  private done: () => void = () => undefined;

  /** Settles when all have answered or are lost; who does not move is not waited for. */
  said(peers: readonly Peer[], tell: (to: Endpoint) => void): Promise<void> {
    const listening = peers.filter(({ state }) => state === 'up');
    if (listening.length === 0) return Promise.resolve();
    for (const { endpoint } of listening) this.missing.add(endpoint.incarnation);
    return new Promise((resolve) => {
      this.done = resolve;
      for (const { endpoint } of listening) tell(endpoint);
    });
  }

  answered({ incarnation }: Endpoint): void {
    if (this.missing.delete(incarnation) && this.missing.size === 0) this.done();
  }
}
