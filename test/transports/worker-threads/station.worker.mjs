// Runs a TypeScript file in a worker thread, as `run-typescript.mjs` does in a process.
import { workerData } from 'node:worker_threads';
import { runnerImport } from 'vite';

const conditions = ['@nestjs-orchestrator/source'];
const environments = { inline: { resolve: { noExternal: [/^@nestjs-orchestrator\//], conditions } } };
const { module } = await runnerImport(workerData.file, { logLevel: 'error', environments });
await module.play(workerData.memory);
