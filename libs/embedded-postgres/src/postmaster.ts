import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from './errors.js';
import { isAlive, processesIn, servesFolder } from './identity.js';
import { sendSignal, signalServer, type Installation } from './programs.js';

/** What a running server says of itself in its data directory. */
export interface PostmasterFile {
  readonly pid: number;
  /** Whether it accepts connections. */
  readonly ready: boolean;
}

/** How often a process that isn't our child is looked at, in milliseconds: the system doesn't tell when it ends. */
const LOOK = 20;
/** How long a fast shutdown may take, and how long an immediate one, in milliseconds. */
const FAST = 30_000;
const IMMEDIATE = 5_000;

/** Reads `postmaster.pid`; `undefined` when there is none, or when it is still being written. */
export function readPostmasterFile(cluster: string): PostmasterFile | undefined {
  let text: string;
  try {
    text = readFileSync(pidFile(cluster), 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const lines = text.split('\n');
  // Single-user mode writes its id as a negative number.
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
}

/**
 * Stops the server that an earlier, killed process left on this cluster, and tells its process id. A file left by a
 * server that is gone doesn't count, nor one whose id now belongs to some other program.
 */
export async function stopOrphan(at: Installation): Promise<number | undefined> {
  const file = pidFile(at.cluster);
  if (!existsSync(file)) return undefined;
  const pid = readPostmasterFile(at.cluster)?.pid;
  const orphan = pid !== undefined && servesFolder(pid, at.cluster) ? pid : undefined;
  if (orphan !== undefined) await stopServer(at, orphan, untilDead(orphan));
  await stopRemains(at);
  // Postgres takes an empty file, a reused id and a dead process that nobody has buried for a running server.
  rmSync(file, { force: true });
  return orphan;
}

/**
 * Stops what a server that was itself killed has left: its sessions go on with a long statement. Postgres would find
 * them by the file that is removed next, so none of them may live on and write beside the new server.
 */
async function stopRemains(at: Installation): Promise<void> {
  await Promise.all(processesIn(at.cluster).map((pid) => stopServer(at, pid, untilDead(pid), 'immediate')));
}

/** Stops a server in the gentlest way that works, beginning with `from`. `ended` settles when it has ended. */
export async function stopServer(
  at: Installation,
  pid: number,
  ended: Promise<void>,
  from: 'fast' | 'immediate' = 'fast',
): Promise<void> {
  if (from === 'fast') {
    signalServer(at, pid, 'fast');
    if (await within(FAST, ended)) return;
  }
  signalServer(at, pid, 'immediate');
  if (await within(IMMEDIATE, ended)) return;
  sendSignal(pid, 'SIGKILL');
  await ended;
}

/** Waits at most so long; true when `ended` came first. */
async function within(milliseconds: number, ended: Promise<void>): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(milliseconds, false, { signal: timer.signal }).catch(() => false);
  const first = await Promise.race([ended.then(() => true), late]);
  timer.abort();
  return first;
}

async function untilDead(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(LOOK);
}

function pidFile(cluster: string): string {
  return join(cluster, 'postmaster.pid');
}
