import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { EmbeddedPostgresError } from './errors.js';
import type { ResolvedOptions } from './options.js';
import { readPostmasterFile, stopServer } from './postmaster.js';
import { notRunnable, spawnServer, type Installation } from './programs.js';

/** A server that accepts connections. */
export interface RunningServer {
  readonly pid: number;
  /** Settles when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

/** How often a starting server is asked whether it is ready, in milliseconds. */
const LOOK = 15;
/** How many of its last lines an error shows. */
const TAIL = 20;

/** Starts the server and waits until it accepts connections; when it doesn't, nothing is left running. */
export async function launch(
  at: Installation,
  options: ResolvedOptions,
  port: number,
): Promise<RunningServer> {
  const child = spawnServer(at, serverArguments(at.cluster, options, port));
  const tail = collectLog(child.stderr, options.onLog);
  let problem: unknown;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (cause) => {
      problem = notRunnable(at, at.binaries.postgres, cause);
      resolve();
    });
    // Not `exit`: the last lines of the log are wanted too.
    child.once('close', () => resolve());
  });
  const { pid } = child;
  if (pid !== undefined && (await untilReady(at.cluster, pid, ended, options.startTimeoutMs))) {
    letGo(child);
    return { pid, ended };
  }
  const running = pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (running) await stopServer(at, pid, ended);
  else await ended;
  throw (
    (problem as EmbeddedPostgresError | undefined) ??
    (running ? timedOut(options, tail) : startFailed(child.exitCode, options, tail))
  );
}

/** The arguments of the server; later ones win, so that the user's settings come last. */
export function serverArguments(cluster: string, options: ResolvedOptions, port: number): string[] {
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: options.host,
    // The path of a socket is limited to about 100 bytes, which a data directory may exceed.
    unix_socket_directories: '',
    // Commits still outlive every process: the system has the pages, it only may not have written them to disk.
    ...(options.durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  return ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Asks the file, not the log: its wording doesn't depend on settings. */
async function untilReady(
  cluster: string,
  pid: number,
  ended: Promise<void>,
  patience: number,
): Promise<boolean> {
  const deadline = performance.now() + patience;
  const over = ended.then(() => true);
  while (performance.now() < deadline) {
    const file = readPostmasterFile(cluster);
    if (file?.pid === pid && file.ready) return true;
    if (await Promise.race([over, delay(LOOK, false)])) return false;
  }
  return false;
}

function collectLog(stream: Readable, onLog: (line: string) => void): readonly string[] {
  const tail: string[] = [];
  createInterface({ input: stream }).on('line', (line) => {
    tail.push(line);
    if (tail.length > TAIL) tail.shift();
    onLog(line);
  });
  return tail;
}

/** A server alone doesn't keep the application running. */
function letGo(child: ChildProcessByStdio<null, null, Readable>): void {
  child.unref();
  (child.stderr as Readable & { unref?(): void }).unref?.();
}

function startFailed(
  exitCode: number | null,
  { dataDir }: ResolvedOptions,
  tail: readonly string[],
): EmbeddedPostgresError {
  const log = tail.join('\n');
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_START_FAILED',
    `Postgres on ${dataDir} ended with code ${exitCode} before it was ready. The end of its log:\n${log}`,
    { dataDir, exitCode: exitCode ?? undefined, log },
  );
}

function timedOut(
  { dataDir, startTimeoutMs }: ResolvedOptions,
  tail: readonly string[],
): EmbeddedPostgresError {
  const log = tail.join('\n');
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_START_TIMED_OUT',
    `Postgres on ${dataDir} wasn't ready within ${startTimeoutMs} ms and was stopped again. ` +
      `Recovery after a crash may take longer: raise startTimeoutMs. The end of its log:\n${log}`,
    { dataDir, startTimeoutMs, log },
    { retryable: true },
  );
}
