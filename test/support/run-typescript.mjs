// Runs a TypeScript file in a plain Node process: `node run-typescript.mjs <file> [arguments]`.
import { runnerImport } from 'vite';

const [file] = process.argv.splice(2, 1);
if (file === undefined) throw new Error('usage: run-typescript.mjs <file.ts> [arguments]');
await runnerImport(file, {
  logLevel: 'error',
  // As in the test runner: the workspace's own packages come from their sources.
  environments: {
    inline: {
      resolve: { noExternal: [/^@nestjs-orchestrator\//], conditions: ['@nestjs-orchestrator/source'] },
    },
  },
});
