import type { Endpoint } from '@nestjs-orchestrator/core/ports';

/** Number of an event, and what went wrong with it. */
export type Acknowledged = readonly [number: number, fault?: string];

/** Says which events are done, once for all of a turn of the event loop. */
export class Acknowledgements {
  private pending = new Map<string, { readonly to: Endpoint; readonly entries: Acknowledged[] }>();
  private isScheduled = false;

  constructor(private readonly send: (to: Endpoint, entries: readonly Acknowledged[]) => void) {}

  add(to: Endpoint, number: number, fault?: string): void {
    const entry: Acknowledged = fault === undefined ? [number] : [number, fault];
    const found = this.pending.get(to.incarnation);
    if (found === undefined) this.pending.set(to.incarnation, { to, entries: [entry] });
    else found.entries.push(entry);
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.isScheduled = false;
    const all = this.pending;
    this.pending = new Map();
    for (const { to, entries } of all.values()) this.send(to, entries);
  }
}
