import { randomUUID } from 'node:crypto';
import { threadId, type Worker } from 'node:worker_threads';
import { NameInvalidError, TransportUnavailableError } from '@nestjs-orchestrator/core';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { settingsOf, type SharedMemoryOptions } from '../options.js';
import { SharedSeat } from '../seat/shared-seat.js';
import { takePlace } from '../seat/take-place.js';
import { MAX_NAME_BYTES } from '../segment/endpoint-table.js';
import { MAGIC, SegmentHeader, VERSION } from '../segment/header.js';
import { HEADER_BYTES, layoutOf } from '../segment/layout.js';
import { Segment } from '../segment/segment.js';
import { utf8 } from '../segment/text.js';
import { ThreadGround, type ThreadWords } from './thread-ground.js';

const TYPE = 'worker-threads';

/** Options of `threadMemory`; as in `sharedMemory`. */
export type ThreadMemoryOptions = Pick<SharedMemoryOptions, 'maxEndpoints' | 'maxNames' | 'laneBytes'>;

/** Options of `workerThreads`; as in `sharedMemory`. */
export type WorkerThreadsOptions = Pick<
  SharedMemoryOptions,
  'heartbeatMs' | 'suspectAfterBeats' | 'spinMs' | 'answerSpinMs'
>;

/**
 * Makes the memory of a cluster of threads: hand it to each worker (`workerData`), and there to `workerThreads`.
 *
 * @throws TransportOptionError, NameInvalidError
 */
export function threadMemory(cluster: string, options: ThreadMemoryOptions = {}): SharedArrayBuffer {
  checkName(cluster);
  const settings = settingsOf(options);
  const layout = layoutOf(settings);
  const memory = new SharedArrayBuffer(layout.totalBytes + wordBytes(layout.maxEndpoints));
  new SegmentHeader(memory).write(cluster, settings, { device: 0, inode: 0 }, Date.now());
  return memory;
}

/**
 * Frames between threads of one process, through memory that `threadMemory` made; lanes and registries are those of `sharedMemory`. Needs no
 * package. An endpoint keeps its thread alive until it leaves. Give each worker to `watchWorker`, or the others can't know when it has ended.
 *
 * @throws TransportOptionError
 */
export function workerThreads(memory: SharedArrayBuffer, options: WorkerThreadsOptions = {}): Transport {
  const checked = settingsOf(options);
  return {
    type: TYPE,
    join: async (joining, receiver) => {
      const { segment, words } = open(memory);
      const { cluster, endpoint } = joining;
      checkName(endpoint);
      if (cluster !== segment.header.cluster)
        throw unavailable(`this is the memory of cluster '${segment.header.cluster}', not of '${cluster}'.`);
      const settings = { ...checked, ...segment.header.shape };
      const ground = new ThreadGround(words, segment);
      const incarnation = randomUUID();
      const applicant = { cluster, name: endpoint, incarnation, pid: threadId };
      const place = await ground.exclusively(() => takePlace(segment, ground, applicant, () => {}));
      const self = { name: endpoint, incarnation };
      const seat = new SharedSeat({ segment, ground, place, self, settings, options: joining, receiver });
      ground.settle(place.slot, () => seat.rung());
      for (const other of segment.live()) ground.ring(other.slot);
      seat.start();
      return seat;
    },
  };
}

/** Tells the others in the memory when a worker has ended, however it ended. Call it where the worker is started, for each one. */
export function watchWorker(memory: SharedArrayBuffer, worker: Worker): void {
  const id = worker.threadId;
  worker.once('exit', () => {
    const { segment, words } = open(memory);
    // It may have been ended while it held the lock.
    Atomics.compareExchange(words.lock, 0, id + 1, 0);
    const ground = new ThreadGround(words, segment);
    void ground.exclusively(() => {
      for (const { slot, generation, pid } of segment.live()) if (pid === id) segment.bury(slot, generation);
      for (const { slot } of segment.live()) ground.ring(slot);
    });
  });
}

function open(memory: SharedArrayBuffer): { segment: Segment; words: ThreadWords } {
  const header = memory.byteLength < HEADER_BYTES ? undefined : new SegmentHeader(memory);
  const shape = header?.shape;
  const isOurs = header?.magic === MAGIC && header.version === VERSION;
  if (!isOurs || shape === undefined) throw unavailable('this is no memory that threadMemory() made.');
  const { totalBytes, maxEndpoints } = layoutOf(shape);
  const lock = new Int32Array(memory, totalBytes, 1);
  const bells = new Int32Array(memory, totalBytes + Int32Array.BYTES_PER_ELEMENT, maxEndpoints);
  return { segment: new Segment(memory, shape), words: { lock, bells } };
}

/** The lock and the bells stand behind the segment, which is the same between processes. */
const wordBytes = (maxEndpoints: number): number => (1 + maxEndpoints) * Int32Array.BYTES_PER_ELEMENT;

const unavailable = (problem: string): TransportUnavailableError =>
  new TransportUnavailableError(TYPE, problem);

/** @throws NameInvalidError */
function checkName(name: string): void {
  const bytes = utf8(name).length;
  if (bytes < 1 || bytes > MAX_NAME_BYTES) throw new NameInvalidError(name, MAX_NAME_BYTES);
}
