import { notify } from '../../resilience/listeners.js';
import type { OrchestratorRecord, RecordStream, RecordType, SubscribeOptions } from '../records.js';
import { BufferedRecords } from './buffered-records.js';

type Listener = (record: OrchestratorRecord) => void;

const TYPES: readonly RecordType[] = [
  'spawned',
  'transition',
  'failure',
  'emitted',
  'slow',
  'stopped',
  'undelivered',
  'peer',
  'gateway',
  'published',
];
const BUFFER = 1_024;

/** Hands records to subscribers. Who makes records asks first whether anybody wants them. */
export class RecordHub {
  private readonly listeners = new Map<RecordType, readonly Listener[]>();
  private readonly streams = new Set<BufferedRecords>();

  wants(type: RecordType): boolean {
    return this.listeners.has(type);
  }

  tell(record: OrchestratorRecord): void {
    for (const listener of this.listeners.get(record.type) ?? []) notify(listener, record);
  }

  listen(listener: Listener, { only = TYPES }: SubscribeOptions = {}): () => void {
    const entry: Listener = (record) => listener(record);
    for (const type of only) this.listeners.set(type, [...(this.listeners.get(type) ?? []), entry]);
    return () => this.leave(entry, only);
  }

  stream(options: SubscribeOptions = {}): RecordStream {
    const stream = new BufferedRecords(options.buffer ?? BUFFER, () => {
      leave();
      this.streams.delete(stream);
    });
    const leave = this.listen((record) => stream.push(record), options);
    this.streams.add(stream);
    return stream;
  }

  /** There will be no more records. */
  close(): void {
    for (const stream of this.streams) stream.close();
  }

  private leave(entry: Listener, types: readonly RecordType[]): void {
    for (const type of types) {
      const left = (this.listeners.get(type) ?? []).filter((other) => other !== entry);
      if (left.length === 0) this.listeners.delete(type);
      else this.listeners.set(type, left);
    }
  }
}
