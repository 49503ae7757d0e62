// For `node --test`: loads the TypeScript suite against the workspace's sources.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

await runnerImport(join(dirname(fileURLToPath(import.meta.url)), 'node.suite.ts'), {
  configFile: false,
  logLevel: 'error',
  environments: {
    inline: {
      resolve: { noExternal: [/^@nestjs-orchestrator\//], conditions: ['@nestjs-orchestrator/source'] },
    },
  },
});
