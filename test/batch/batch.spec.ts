import {
  BatchService,
  type BatchItemResult,
  type BatchProgress,
  type BatchRequest,
  type MachineRef,
} from '@nestjs-orchestrator/core';
import { CallTimeoutError } from '@nestjs-orchestrator/core/resilience';
import { countedIds, VirtualClock } from '@nestjs-orchestrator/testing';
import type { EventObject } from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { deferred } from '../resilience/support.js';

interface Asked {
  readonly event: EventObject;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A machine whose answers the test gives. */
function machine() {
  const asked: Asked[] = [];
  const request: MachineRef['request'] = (event, options) => {
    const answer = deferred<never>();
    const { resolve, reject } = answer;
    asked.push({ event, signal: options?.signal, resolve: resolve as (value: unknown) => void, reject });
    return answer.promise;
  };
  return { ref: { id: 'm', request } as unknown as MachineRef, asked };
}

function stage() {
  const clock = new VirtualClock();
  const service = new BatchService({ clock, ids: countedIds('c') });
  const { ref, asked } = machine();
  const requests = (count: number): BatchRequest[] =>
    Array.from({ length: count }, (_, at) => ({ machine: ref, event: { type: `E${at}` } }));
  const answer = async (at: number, error?: Error): Promise<void> => {
    if (error === undefined) asked[at]?.resolve(`answer ${at}`);
    else asked[at]?.reject(error);
    await clock.settled();
  };
  return { clock, service, asked, requests, answer };
}

const statusOf = (results: readonly BatchItemResult[]): string[] => results.map(({ status }) => status);

describe('a batch', () => {
  it('runs so many at a time, in order, and tells what became of each', async () => {
    const { clock, service, asked, requests, answer } = stage();
    const { result } = service.fire(requests(5), { maxParallelism: 2 });
    await clock.settled();
    expect(asked.map(({ event }) => event.type)).toEqual(['E0', 'E1']);
    await clock.advance(10);
    await answer(1);
    expect(asked).toHaveLength(3);
    await answer(0, new Error('no'));
    await answer(2);
    await answer(3);
    await answer(4);
    const { results, ...rest } = await result;
    expect(rest).toEqual({
      total: 5,
      succeeded: 4,
      failed: 1,
      timedOut: 0,
      cancelled: 0,
      notStarted: 0,
      endedBy: 'done',
      durationMs: 10,
    });
    expect(statusOf(results)).toEqual(['failed', 'succeeded', 'succeeded', 'succeeded', 'succeeded']);
    expect(results[0]).toMatchObject({ index: 0, error: new Error('no'), durationMs: 10 });
    expect(results[1]).toMatchObject({ index: 1, value: 'answer 1', durationMs: 10 });
    expect(new Set(results.map(({ correlationId }) => correlationId)).size).toBe(5);
  });

  it('runs ten at a time if nothing else is said', async () => {
    const { clock, service, asked, requests } = stage();
    service.fire(requests(100));
    await clock.settled();
    expect(asked).toHaveLength(10);
  });

  it('begins nothing more after a failure, if told so, and lets end what runs', async () => {
    const { clock, service, requests, answer } = stage();
    const { result } = service.fire(requests(4), { maxParallelism: 2, onFailure: 'stop' });
    await clock.settled();
    await answer(0, new Error('no'));
    await answer(1);
    const { results, endedBy, notStarted } = await result;
    expect({ endedBy, notStarted }).toEqual({ endedBy: 'failure', notStarted: 2 });
    expect(statusOf(results)).toEqual(['failed', 'succeeded', 'not-started', 'not-started']);
  });

  it('ends at its time-out: what runs has timed out, and the rest was not started', async () => {
    const { clock, service, asked, requests, answer } = stage();
    const { result } = service.fire(requests(4), { maxParallelism: 2 });
    await clock.settled();
    await answer(0);
    await clock.advance('5m');
    const { results, endedBy, durationMs } = await result;
    expect({ endedBy, durationMs }).toEqual({ endedBy: 'timeout', durationMs: 300_000 });
    expect(statusOf(results)).toEqual(['succeeded', 'timed-out', 'timed-out', 'not-started']);
    expect(results[1]).toMatchObject({ error: { code: 'BATCH_TIMEOUT', timeoutMs: 300_000 } });
    expect(asked[1]?.signal?.aborted).toBe(true);
    expect(clock.scheduled).toBe(0);
  });

  it('is called off by its signal, before it begins as well', async () => {
    const { clock, service, asked, requests } = stage();
    const abort = new AbortController();
    const { result } = service.fire(requests(3), { maxParallelism: 1, signal: abort.signal });
    await clock.settled();
    abort.abort(new Error('enough'));
    const { results, endedBy } = await result;
    expect(endedBy).toBe('aborted');
    expect(statusOf(results)).toEqual(['cancelled', 'not-started', 'not-started']);
    const second = await service.fire(requests(2), { signal: abort.signal }).result;
    expect(statusOf(second.results)).toEqual(['not-started', 'not-started']);
    expect(asked).toHaveLength(1);
  });

  it("tells an item's own time-out from a failure", async () => {
    const { clock, service, requests, answer } = stage();
    const { result } = service.fire(requests(1));
    await clock.settled();
    await answer(0, new CallTimeoutError(5));
    expect(statusOf((await result).results)).toEqual(['timed-out']);
  });

  it('tells its progress to every reader, each item once', async () => {
    const { clock, service, requests, answer } = stage();
    const batch = service.fire(requests(3), { maxParallelism: 1 });
    const read: BatchProgress[][] = [[], []];
    const readers = read.map(async (seen) => {
      for await (const progress of batch.progress()) seen.push(progress);
    });
    for (const at of [0, 1, 2]) {
      await clock.settled();
      await answer(at, at === 1 ? new Error('no') : undefined);
    }
    await Promise.all(readers);
    const seen = read[0]?.map(({ item, total, succeeded, failed }) => [item.index, total, succeeded, failed]);
    expect(seen).toEqual([
      [0, 1, 1, 0],
      [1, 2, 1, 1],
      [2, 3, 2, 1],
    ]);
    expect(read[1]).toEqual(read[0]);
  });

  it('reads an endless source as it goes, and closes it when it ends early', async () => {
    const { clock, service, asked, requests, answer } = stage();
    const [request] = requests(1) as [BatchRequest];
    let given = 0;
    let closed = false;
    async function* endless(): AsyncGenerator<BatchRequest> {
      try {
        for (;;) {
          given += 1;
          yield request;
        }
      } finally {
        closed = true;
      }
    }
    const { result } = service.fire(endless(), {
      maxParallelism: 3,
      onFailure: 'stop',
      collect: 'unsuccessful',
    });
    await clock.settled();
    expect(given).toBe(3);
    await answer(0);
    await answer(1, new Error('no'));
    await answer(2);
    await answer(3);
    const { results, total, succeeded } = await result;
    expect({ total, succeeded, kept: statusOf(results) }).toEqual({
      total: 4,
      succeeded: 3,
      kept: ['failed'],
    });
    expect(closed).toBe(true);
    expect(asked).toHaveLength(4);
  });

  it('ends when its requests can not be read, with what was done', async () => {
    const { clock, service, requests, answer } = stage();
    async function* broken(): AsyncGenerator<BatchRequest> {
      yield* requests(1);
      throw new Error('page 2 is gone');
    }
    const { result } = service.fire(broken());
    const ended = expect(result).rejects.toMatchObject({
      code: 'BATCH_SOURCE',
      cause: new Error('page 2 is gone'),
      result: { succeeded: 1, endedBy: 'source' },
    });
    await clock.settled();
    await answer(0);
    await ended;
  });

  it.each([
    ['maxParallelism', { maxParallelism: 0 }],
    ['maxParallelism', { maxParallelism: Number.NaN }],
    ['onFailure', { onFailure: 'sulk' }],
    ['timeout', { timeout: 0 }],
    ['timeout', { timeout: 'soon' }],
    ['collect', { collect: 'some' }],
  ])('%s is refused in %o', (option, wrong) => {
    expect(() => new BatchService({}).fire([], wrong as never)).toThrow(
      expect.objectContaining({ code: 'BATCH_OPTION', option }),
    );
  });

  it('says what it was made without', async () => {
    const { results } = await new BatchService({}).fire([
      { machine: 'door-1', event: { type: 'OPEN' } },
      { publish: {} },
    ]).result;
    expect(results).toMatchObject([
      { status: 'failed', error: { code: 'BATCH_TARGET', missing: 'orchestrator' } },
      { status: 'failed', error: { code: 'BATCH_TARGET', missing: 'bus' } },
    ]);
  });
});
