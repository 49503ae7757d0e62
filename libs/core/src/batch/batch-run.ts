import { isOrchestratorError } from '../errors/orchestrator-error.js';
import type { Clock } from '../ports/clock.js';
import type { IdSource } from '../ports/ids.js';
import { BatchSourceError, BatchTimeoutError } from './batch-errors.js';
import type { BatchSettings } from './batch-options.js';
import type { BatchRequest } from './batch-request.js';
import type { BatchEnd, BatchItemResult, BatchProgress, BatchResult, BatchTotals } from './batch-result.js';
import { ProgressFeed } from './progress-feed.js';

/** Where requests come from: a list, or pages of a store read as they are needed. */
export type BatchSource = Iterable<BatchRequest> | AsyncIterable<BatchRequest>;

/** Does one request. `signal` ends it early. */
export type Perform = (request: BatchRequest, correlationId: string, signal: AbortSignal) => Promise<unknown>;

/** What a run needs of its surroundings. */
export interface BatchSurroundings {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly perform: Perform;
}

interface Taken {
  readonly index: number;
  readonly request: BatchRequest;
  readonly correlationId: string;
}

type Counts = { -readonly [K in keyof BatchTotals]: number };

const COUNT_OF = {
  succeeded: 'succeeded',
  failed: 'failed',
  'timed-out': 'timedOut',
  cancelled: 'cancelled',
  'not-started': 'notStarted',
} as const satisfies Record<BatchItemResult['status'], keyof BatchTotals>;

/** A batch at work: so many lanes take request after request from one source. */
export class BatchRun {
  /** Settles when nothing is under way any more. */
  readonly result: Promise<BatchResult>;
  private readonly feed = new ProgressFeed();
  private readonly results: BatchItemResult[] = [];
  private readonly counts: Counts = {
    total: 0,
    succeeded: 0,
    failed: 0,
    timedOut: 0,
    cancelled: 0,
    notStarted: 0,
  };
  /** What is under way; each has a signal of its own, so that none gathers the listeners of all. */
  private readonly underWay = new Set<AbortController>();
  private calledOff: { readonly reason: unknown } | undefined;
  private readonly iterator: Iterator<BatchRequest> | AsyncIterator<BatchRequest>;
  /** Set for a list: what was not begun can be told one by one. */
  private readonly listed: boolean;
  private readonly startedAt: number;
  private turn: Promise<unknown> = Promise.resolve();
  private taken = 0;
  private end: BatchEnd = 'done';
  private sourceError: unknown;

  constructor(
    source: BatchSource,
    private readonly settings: BatchSettings,
    private readonly surroundings: BatchSurroundings,
  ) {
    this.startedAt = surroundings.clock.monotonic();
    this.listed = Symbol.iterator in source;
    this.iterator = Symbol.iterator in source ? source[Symbol.iterator]() : source[Symbol.asyncIterator]();
    this.result = this.run();
    // Whoever only follows the progress is told of a source that fails by its end.
    this.result.catch(() => undefined);
  }

  progress(): AsyncIterable<BatchProgress> {
    return this.feed.read();
  }

  private async run(): Promise<BatchResult> {
    const { timeoutMs, signal, maxParallelism } = this.settings;
    const timer = this.surroundings.clock.schedule(timeoutMs, () => {
      this.callOff('timeout', new BatchTimeoutError(timeoutMs));
    });
    const abort = (): void => this.callOff('aborted', signal?.reason);
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await Promise.all(Array.from({ length: maxParallelism }, () => this.lane()));
      await this.leaveTheRest();
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
      this.feed.close();
    }
    const result = this.summary();
    if (this.end === 'source') throw new BatchSourceError(result, { cause: this.sourceError });
    return result;
  }

  private async lane(): Promise<void> {
    while (this.end === 'done') {
      const taken = await this.take();
      if (taken === undefined) return;
      if (this.end === 'done') await this.start(taken);
      else this.note({ ...taken, status: 'not-started' });
    }
  }

  /** The next request; one lane after the other asks the source. */
  private take(): Promise<Taken | undefined> {
    const next = this.turn.then(() => (this.end === 'done' ? this.pull() : undefined));
    this.turn = next;
    return next;
  }

  private async pull(): Promise<Taken | undefined> {
    try {
      const step = await this.orCalledOff(() => Promise.resolve(this.iterator.next()));
      return step.done === true ? undefined : this.numbered(step.value);
    } catch (error) {
      if (this.end === 'done') {
        this.end = 'source';
        this.sourceError = error;
      }
      return undefined;
    }
  }

  private numbered(request: BatchRequest): Taken {
    const index = this.taken;
    this.taken += 1;
    return { index, request, correlationId: request.correlationId ?? this.surroundings.ids.next() };
  }

  private async start(taken: Taken): Promise<void> {
    const { clock, perform } = this.surroundings;
    const startedAt = clock.monotonic();
    const lasted = (): number => clock.monotonic() - startedAt;
    try {
      const value = await this.orCalledOff((signal) => perform(taken.request, taken.correlationId, signal));
      this.note({ ...taken, status: 'succeeded', value, durationMs: lasted() });
    } catch (error) {
      this.note({ ...taken, status: this.wayToFail(error), error, durationMs: lasted() });
      if (this.settings.stopsOnFailure && this.end === 'done') this.end = 'failure';
    }
  }

  private wayToFail(error: unknown): 'failed' | 'timed-out' | 'cancelled' {
    if (this.calledOff !== undefined && error === this.calledOff.reason)
      return this.end === 'timeout' ? 'timed-out' : 'cancelled';
    return isOrchestratorError(error) && TIME_OUTS.has(error.code) ? 'timed-out' : 'failed';
  }

  private callOff(end: BatchEnd, reason: unknown): void {
    if (this.end === 'done' || this.end === 'failure') this.end = end;
    this.calledOff ??= { reason };
    for (const each of this.underWay) each.abort(reason);
  }

  private async orCalledOff<T>(begin: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.calledOff !== undefined) throw this.calledOff.reason;
    const controller = new AbortController();
    const { signal } = controller;
    this.underWay.add(controller);
    try {
      return await new Promise<T>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        begin(signal).then(resolve, reject);
      });
    } finally {
      this.underWay.delete(controller);
    }
  }

  /** A list is read to its end, so that everything is told of; pages of a store are not. */
  private async leaveTheRest(): Promise<void> {
    if (this.end === 'done' || this.end === 'source') return;
    if (!this.listed) {
      // A source that hangs must not hold the batch.
      void Promise.resolve(this.iterator.return?.()).catch(() => undefined);
      return;
    }
    for (let step = await this.iterator.next(); step.done !== true; step = await this.iterator.next()) {
      this.note({ ...this.numbered(step.value), status: 'not-started' });
    }
  }

  private note(item: BatchItemResult): void {
    this.counts.total += 1;
    this.counts[COUNT_OF[item.status]] += 1;
    if (this.settings.keepsSuccesses || item.status !== 'succeeded') this.results.push(item);
    this.feed.tell({ ...this.counts, item });
  }

  private summary(): BatchResult {
    const durationMs = this.surroundings.clock.monotonic() - this.startedAt;
    const results = this.results.toSorted((one, other) => one.index - other.index);
    return { ...this.counts, endedBy: this.end, durationMs, results };
  }
}

/** What one request's own time-out is called, wherever it ends. */
const TIME_OUTS: ReadonlySet<string> = new Set([
  'REQUEST_TIMEOUT',
  'REPLY_TIMEOUT',
  'SAGA_WAIT_TIMEOUT',
  'CALL_TIMEOUT',
  'BATCH_TIMEOUT',
]);
