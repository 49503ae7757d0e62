import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api';

/** Instruments of one source, and how they are read. */
export class ObservedInstruments {
  private readonly observables: Observable[] = [];

  constructor(private readonly meter: Meter) {}

  /** What only grows. */
  counter(name: string, description: string, unit = '1'): Observable {
    return this.added(this.meter.createObservableCounter(name, { description, unit }));
  }

  /** What is so now. */
  gauge(name: string, description: string, unit = '1'): Observable {
    return this.added(this.meter.createObservableGauge(name, { description, unit }));
  }

  /** Reads all of them by one function. Returns the way out. */
  readBy(read: (result: BatchObservableResult) => void | Promise<void>): () => void {
    this.meter.addBatchObservableCallback(read, this.observables);
    return () => this.meter.removeBatchObservableCallback(read, this.observables);
  }

  private added(observable: Observable): Observable {
    this.observables.push(observable);
    return observable;
  }
}

/** A name as metrics are written: `framesSent` → `frames_sent`. */
export function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
