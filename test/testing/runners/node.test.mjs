// For `node --test`: loads the TypeScript suite against the workspace's sources.
import { fileURLToPath } from 'node:url';
import { bundle } from '../../support/bundle.mjs';

await import(await bundle(fileURLToPath(new URL('./node.suite.ts', import.meta.url))));
