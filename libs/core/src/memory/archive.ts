import type { ArchivedInstance, InstanceRef } from '../ports/index.js';
import { instanceName } from './names.js';

/** Instances that were taken out of the way. */
export class Archive {
  private readonly entries = new Map<string, ArchivedInstance>();

  keep(entry: ArchivedInstance): void {
    this.entries.set(instanceName(entry.instance), structuredClone(entry));
  }

  find(ref: InstanceRef): ArchivedInstance | null {
    const entry = this.entries.get(instanceName(ref));
    return entry === undefined ? null : structuredClone(entry);
  }
}
