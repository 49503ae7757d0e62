import { RunFolders } from './run-folders.js';

/** Where the Redis servers of test runs have their files. */
export const redisFolders = new RunFolders(
  'nestjs-orchestrator-redis-',
  new URL('./redis-watchdog.mjs', import.meta.url),
);
