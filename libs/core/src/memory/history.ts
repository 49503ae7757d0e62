import type { HistoryRecord, InstanceRef, StoredHistory } from '../ports/index.js';
import { instanceName } from './names.js';

/** What happened to each instance, oldest first. */
export class Histories {
  private readonly lines = new Map<string, StoredHistory[]>();

  append(ref: InstanceRef, records: readonly HistoryRecord[], version: number, at: number): void {
    if (records.length === 0) return;
    const name = instanceName(ref);
    let lines = this.lines.get(name);
    if (lines === undefined) this.lines.set(name, (lines = []));
    for (const { kind, name: cause, messageId, from, to, detail } of records) {
      lines.push({ kind, name: cause, messageId, from, to, detail, version, at });
    }
  }

  remove(ref: InstanceRef): void {
    this.lines.delete(instanceName(ref));
  }

  read(ref: InstanceRef): readonly StoredHistory[] {
    return (this.lines.get(instanceName(ref)) ?? []).map((line) => ({ ...line }));
  }
}
