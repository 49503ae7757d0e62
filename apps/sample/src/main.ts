import 'reflect-metadata';
import { readFlags } from './config/flags.js';

// Imported here, so that flags come before the settings, and a wrong setting, which shows while classes are defined, is told as clearly as any other
// failure.
async function main(): Promise<void> {
  let explain = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  try {
    readFlags(process.argv.slice(2), process.env);
    ({ explain } = await import('./startup/failure.js'));
    const { start } = await import('./startup/start.js');
    await start();
  } catch (error) {
    process.stderr.write(`\n${explain(error)}\n`);
    process.exitCode = 1;
  }
}

void main();
