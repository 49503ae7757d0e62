import { Ring } from '../pool/ring.js';
import type { OrchestratorRecord, RecordStream } from '../records.js';

type Result = IteratorResult<OrchestratorRecord, undefined>;

/** Records for one reader, who may be slower than they come: the oldest go first, and are counted. */
export class BufferedRecords implements RecordStream {
  lost = 0;
  private readonly records = new Ring<OrchestratorRecord>();
  private readonly readers = new Ring<(result: Result) => void>();
  private closed = false;

  constructor(
    private readonly most: number,
    private readonly onClose: () => void,
  ) {}

  push(record: OrchestratorRecord): void {
    if (this.closed) return;
    const reader = this.readers.shift();
    if (reader !== undefined) {
      reader({ done: false, value: record });
      return;
    }
    if (this.records.size >= this.most) {
      this.records.shift();
      this.lost += 1;
    }
    this.records.push(record);
  }

  next(): Promise<Result> {
    const record = this.records.shift();
    if (record !== undefined) return Promise.resolve({ done: false, value: record });
    if (this.closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.readers.push(resolve));
  }

  return(): Promise<Result> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onClose();
    for (let reader = this.readers.shift(); reader !== undefined; reader = this.readers.shift()) {
      reader({ done: true, value: undefined });
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
