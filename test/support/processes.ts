import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const RUN = fileURLToPath(new URL('./run-typescript.mjs', import.meta.url));

/** A process of its own that runs a TypeScript file and talks in messages. */
export interface TestProcess {
  readonly pid: number;
  /** The next message it sends; rejects when it ends first. */
  next<T>(): Promise<T>;
  /** Hears every message from now on. */
  onMessage<T>(listener: (message: T) => void): void;
  send(message: string): void;
  /** Sends a signal and settles when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Settles when it has ended, with its exit code. */
  readonly ended: Promise<number | null>;
}

/** A process that runs a TypeScript file beside the caller's; whoever forks it ends it. */
export function forkTypeScript(
  base: string,
  file: string,
  argument: unknown,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  return fork(RUN, [fileURLToPath(new URL(file, base)), JSON.stringify(argument)], {
    env: { ...process.env, ...environment },
    // What the runner set for itself isn't meant for processes under test.
    execArgv: [],
  });
}

/** Starts a file beside the caller's: `startProcess(import.meta.url, './owner.process.ts', { … })`. */
export function startProcess(
  base: string,
  file: string,
  argument: unknown,
  environment: Readonly<Record<string, string>> = {},
): TestProcess {
  const child = forkTypeScript(base, file, argument, environment);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    ended,
    next: () => nextMessage(child, ended),
    onMessage: <T>(listener: (message: T) => void) =>
      void child.on('message', (message) => listener(message as T)),
    send: (message) => void child.send(message),
    kill: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
}

async function nextMessage<T>(child: ChildProcess, ended: Promise<number | null>): Promise<T> {
  const early = ended.then((code) => {
    throw new Error(`The process ended with code ${code} before it sent the message that was awaited.`);
  });
  const [message] = (await Promise.race([once(child, 'message'), early])) as [T];
  return message;
}
