// Runs a TypeScript module against the workspace sources: node scripts/run-typescript.mjs path/to/module.ts [arguments]
// Bundled first, so that what runs is plain JavaScript at full speed; packages from the registry stay outside.
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

const [, , path = ''] = process.argv;
// The module sees its own path and arguments, as if it had been started itself.
process.argv.splice(1, 1);
const conditions = ['@nestjs-orchestrator/source'];
const directory = await mkdtemp(join(import.meta.dirname, '..', 'node_modules', '.run-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

await build({
  configFile: false,
  logLevel: 'error',
  resolve: { conditions },
  ssr: { noExternal: [/^@nestjs-orchestrator\//], resolve: { conditions } },
  build: {
    ssr: resolve(path),
    outDir: directory,
    emptyOutDir: false,
    minify: false,
    target: 'node20',
    rolldownOptions: { output: { entryFileNames: 'main.js' } },
  },
});
await import(pathToFileURL(join(directory, 'main.js')).href);
