import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { threadMemory, watchWorker, workerThreads } from '@nestjs-orchestrator/transports';
import { describe, expect, it } from 'vitest';
import { faultIn } from '../checked-frames.js';
import { FRAMES } from './sender.js';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

describe('workerThreads', () => {
  it('carries frames of a worker in order, and tells of its end after the last of them', async () => {
    const memory = threadMemory('threads', { laneBytes: 8_192 });
    const [all, lost] = [gate(), gate()];
    const told: string[] = [];
    let count = 0;
    // A worker that a busy machine lets wait is suspect to nobody.
    const seat = await workerThreads(memory, { heartbeatMs: 3_600_000 }).join(
      { cluster: 'threads', endpoint: 'reader', clock: systemClock, logger: silentLogger },
      {
        onFrame: (_from, frame) => {
          const fault = faultIn(frame, count);
          if (fault !== undefined) told.push(fault);
          count += 1;
          if (count === FRAMES) all.open();
        },
        onPeer: ({ endpoint, state }) => {
          told.push(`${endpoint.name} ${state} after ${count}`);
          if (state === 'lost') lost.open();
        },
      },
    );
    await seat.claim('reader', '');
    const worker = new Worker(here('./station.worker.mjs'), {
      workerData: { memory, file: here('./sender.ts') },
    });
    watchWorker(memory, worker);
    await all.passed;
    expect((await seat.locate('a machine'))?.endpoint.name).toBe('sender');
    await worker.terminate();
    await lost.passed;
    expect(told).toEqual(['sender up after 0', `sender lost after ${FRAMES}`]);
    expect(await seat.locate('a machine')).toBeUndefined();
    await seat.leave();
  });

  it('refuses memory of another cluster, and what is no such memory', async () => {
    const options = { cluster: 'b', endpoint: 'one', clock: systemClock, logger: silentLogger };
    const receiver = { onFrame() {}, onPeer() {} };
    const unavailable = { code: 'TRANSPORT_UNAVAILABLE' };
    await expect(workerThreads(threadMemory('a')).join(options, receiver)).rejects.toMatchObject(unavailable);
    for (const bytes of [0, 10_000]) {
      const joined = workerThreads(new SharedArrayBuffer(bytes)).join(options, receiver);
      await expect(joined).rejects.toMatchObject(unavailable);
    }
  });
});
