// Runs a TypeScript file in a plain Node process: `node run-typescript.mjs <file> [arguments]`.
import { bundle } from './bundle.mjs';

const [file] = process.argv.splice(2, 1);
if (file === undefined) throw new Error('usage: run-typescript.mjs <file.ts> [arguments]');
await import(await bundle(file));
