import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import { encodeWire, wire } from './wire.js';

/** Number of an event, and what went wrong with it. */
export type Acknowledged = readonly [number: number, fault?: string];

const UNTELLABLE = 'why is too long to be told; see the log of the server';

/** Frames of at most so many bytes for these entries. */
export function acknowledgementFrames(entries: readonly Acknowledged[], maxBytes: number): Uint8Array[] {
  const frame = encodeWire(wire.acknowledge, entries);
  if (frame.length <= maxBytes) return [frame];
  const [first] = entries;
  if (entries.length === 1 && first !== undefined)
    return [encodeWire(wire.acknowledge, [[first[0], UNTELLABLE]])];
  const half = Math.ceil(entries.length / 2);
  return [entries.slice(0, half), entries.slice(half)].flatMap((some) =>
    acknowledgementFrames(some, maxBytes),
  );
}

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
