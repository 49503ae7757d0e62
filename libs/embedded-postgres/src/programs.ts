import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Binaries } from './binaries.js';
import { EmbeddedPostgresError, systemCode } from './errors.js';
import { rootRefused, type RunAs } from './run-as.js';

/** Everything that is known before a program of Postgres can be run. */
export interface Installation {
  readonly binaries: Binaries;
  readonly runAs: RunAs;
  /** What the programs need in their environment to find their shared libraries. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** Postgres' own data directory. */
  readonly cluster: string;
}

/** How a program ended and what it wrote. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs a program to its end with `input` as its standard input. */
export async function runProgram(
  at: Installation,
  program: string,
  args: readonly string[],
  input = '',
): Promise<Outcome> {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(...command(at, program, args), {
    ...settings(at),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // A program that ends before it has read its input tells why on its standard error.
  child.stdin.on('error', () => undefined).end(input);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(notRunnable(at, program, cause)));
    child.once('close', resolve);
  });
  return { exitCode, output: output.trim() };
}

/** Starts the server: in a session of its own, so that Ctrl-C in a terminal reaches the application alone. */
export function spawnServer(
  at: Installation,
  args: readonly string[],
): ChildProcessByStdio<null, null, Readable> {
  return spawn(...command(at, at.binaries.postgres, args), {
    ...settings(at),
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    windowsHide: true,
  });
}

/** Asks a server to stop: `fast` ends its sessions and writes everything down, `immediate` leaves that to recovery. */
export function signalServer(at: Installation, pid: number, mode: 'fast' | 'immediate'): void {
  // Windows has no signals; Postgres brings its own there, sent by its own program.
  if (process.platform === 'win32')
    spawn(at.binaries.pgCtl, ['kill', mode === 'fast' ? 'INT' : 'QUIT', String(pid)], { windowsHide: true });
  else sendSignal(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
}

/** Sends a signal to a process that may just have ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

/** The error for a program that couldn't even be started. */
export function notRunnable(at: Installation, program: string, cause: unknown): EmbeddedPostgresError {
  if (at.runAs.user !== undefined)
    return rootRefused(`user ${at.runAs.user.uid} can't run ${program} (${systemCode(cause)})`, cause);
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_BINARIES_MISSING',
    `The program ${program} can't be run (${systemCode(cause)}). ` +
      'Check that it is executable, and that this system uses glibc: there are no binaries for Alpine.',
    { program },
    { cause },
  );
}

function command(at: Installation, program: string, args: readonly string[]): [string, string[]] {
  const [first = program, ...rest] = [...at.runAs.prefix, program, ...args];
  return [first, rest];
}

function settings(at: Installation) {
  return { env: environment(at), cwd: at.dataDir, ...at.runAs.user };
}

/** The application's environment, without the variables that would tell Postgres where its data is or its port. */
function environment(at: Installation): NodeJS.ProcessEnv {
  // oxlint-disable-next-line node/no-process-env -- the programs run in the environment of the application
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  // Messages stay English and values independent of the machine's language.
  return { ...Object.fromEntries(own), LC_ALL: 'C', ...at.environment };
}
