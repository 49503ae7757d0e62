// Runs a TypeScript file in a worker thread, as `run-typescript.mjs` does in a process.
import { workerData } from 'node:worker_threads';
import { bundle } from '../../support/bundle.mjs';

const { play } = await import(await bundle(workerData.file));
await play(workerData.memory);
