import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { Connection } from './connection.js';

const nobody = {} as Redis;

it('an answer that has come while the process stood still is in time', async () => {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const answering = new Worker(
    `const { parentPort, workerData: flag } = require('node:worker_threads');
     Atomics.wait(flag, 0, 0);
     parentPort.postMessage('pong');
     Atomics.store(flag, 0, 2);
     Atomics.notify(flag, 0);`,
    { eval: true, workerData: flag },
  );
  onTestFinished(async () => void (await answering.terminate()));
  await once(answering, 'online');
  await new Promise((resolve) => setImmediate(resolve));
  const answer = once(answering, 'message') as Promise<[string]>;
  let lates = 0;
  const limited = new Connection(nobody, 1).limited(answer, 1, () => (lates += 1));
  // Nothing of this process moves until the answer is there, and its time is over.
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
  Atomics.wait(flag, 0, 1);
  Atomics.wait(flag, 0, 2, 20);
  expect(await limited).toEqual(['pong']);
  expect(lates).toBe(0);
});

it('an answer that does not come is an error after its time', async () => {
  const timers: { readonly ms: number; readonly over: () => void }[] = [];
  const schedule = (ms: number, over: () => void) => {
    timers.push({ ms, over });
    return { cancel: () => undefined };
  };
  let lates = 0;
  const limited = new Connection(nobody, 50, { schedule }).limited(
    new Promise(() => undefined),
    50,
    () => (lates += 1),
  );
  const failed = expect(limited).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(timers.map(({ ms }) => ms)).toEqual([50]);
  timers[0]?.over();
  // What has come in meanwhile has its turn first.
  expect([timers[1]?.ms, lates]).toEqual([0, 0]);
  timers[1]?.over();
  await failed;
  expect(lates).toBe(1);
});
