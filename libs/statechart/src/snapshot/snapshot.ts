import type { Configuration } from '../engine/configuration.js';
import type { Pending, Snapshot } from '../types.js';

/** The one class of snapshots, so that all of them have one shape. */
export class MachineSnapshot<C> implements Snapshot<C> {
  readonly machine: string;
  readonly tags: readonly string[];

  constructor(
    readonly configuration: Configuration,
    readonly context: C,
    readonly epochs: readonly number[] | null,
    readonly pending: Pending | null,
    readonly status: 'active' | 'done' | 'error',
    readonly output: unknown,
    readonly error: unknown,
  ) {
    this.machine = configuration.runtime.chart.id;
    this.tags = configuration.tags;
  }
}
