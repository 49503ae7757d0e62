import { Worker } from 'node:worker_threads';
import { createOrchestrator } from '@nestjs-orchestrator/core';
import { threadMemory, watchWorker, workerThreads } from '@nestjs-orchestrator/transports';

export async function withWorker(file: string) {
  // #region threads
  const memory = threadMemory('shop');
  const worker = new Worker(file, { workerData: { memory } });
  watchWorker(memory, worker);
  const transports = { threads: workerThreads(memory) }; // the same in the worker, of `workerData.memory`
  const orchestrator = await createOrchestrator({ name: 'orders', cluster: 'shop', transports });
  // #endregion
  return orchestrator;
}
