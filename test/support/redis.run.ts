import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the Redis servers of one test run have their files. */
export interface RunFolder {
  readonly folder: string;
  /** Ends the servers in it and removes it; the end of this process, of whatever kind, does the same. */
  close(): Promise<void>;
}

const PREFIX = 'nestjs-orchestrator-redis-';
const WATCHDOG = fileURLToPath(new URL('./redis-watchdog.mjs', import.meta.url));

/** Makes a folder for the servers of a run, after removing what dead runs left behind. */
export async function openRunFolder(): Promise<RunFolder> {
  const temporary = realpathSync(tmpdir());
  await sweep(temporary);
  const folder = mkdtempSync(join(temporary, `${PREFIX}${process.pid}-`));
  return { folder, close: watch(folder) };
}

/** One way out for every kind of end: the watchdog cleans up when our end of its pipe closes. */
function watch(folder: string): () => Promise<void> {
  const watchdog = spawn(process.execPath, [WATCHDOG, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a session of its own, so that Ctrl-C doesn't reach it.
    detached: true,
  });
  watchdog.unref();
  const gone = once(watchdog, 'exit');
  return async () => {
    watchdog.ref();
    watchdog.stdin.end();
    await gone;
  };
}

/** Folders of runs whose watchdog was killed as well, or that ended with the machine. */
async function sweep(temporary: string): Promise<void> {
  for (const name of readdirSync(temporary)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (Number.isInteger(pid) && !isAlive(pid)) await watch(join(temporary, name))();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The run of another user is alive as well.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
