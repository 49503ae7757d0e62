import { notify } from '../../resilience/listeners.js';
import type { CounterName, MetricsListener, OrchestratorCounters } from '../statistics.js';
import { Histogram } from './histogram.js';

/** Counters and latencies of one group. */
export class Meters implements OrchestratorCounters {
  processed = 0;
  failed = 0;
  timedOut = 0;
  throttled = 0;
  repeated = 0;
  forgotten = 0;
  registered = 0;
  disposed = 0;
  readonly latency = new Histogram();
  private listeners: readonly MetricsListener[] = [];

  constructor(readonly enabled: boolean) {}

  count(counter: CounterName, definition: string): void {
    if (!this.enabled) return;
    this[counter] += 1;
    if (this.listeners.length > 0) this.tellCount(counter, definition);
  }

  took(milliseconds: number, definition: string): void {
    this.latency.record(milliseconds);
    if (this.listeners.length > 0) this.tell((listener) => listener.latency?.(milliseconds, definition));
  }

  observe(listener: MetricsListener): () => void {
    const entry: MetricsListener = {
      count: (counter, definition) => listener.count?.(counter, definition),
      latency: (milliseconds, definition) => listener.latency?.(milliseconds, definition),
    };
    this.listeners = [...this.listeners, entry];
    return () => {
      this.listeners = this.listeners.filter((other) => other !== entry);
    };
  }

  add(other: Meters): void {
    for (const name of COUNTERS) this[name] += other[name];
    this.latency.add(other.latency);
  }

  counters(): OrchestratorCounters {
    return Object.fromEntries(COUNTERS.map((name) => [name, this[name]])) as unknown as OrchestratorCounters;
  }

  /** Apart, so that counting allocates nothing where nobody listens. */
  private tellCount(counter: CounterName, definition: string): void {
    this.tell((listener) => listener.count?.(counter, definition));
  }

  private tell(one: (listener: MetricsListener) => void): void {
    for (const listener of this.listeners) notify(one, listener);
  }
}

const COUNTERS: readonly CounterName[] = [
  'processed',
  'failed',
  'timedOut',
  'throttled',
  'repeated',
  'forgotten',
  'registered',
  'disposed',
];
