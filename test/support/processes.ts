import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const RUN = fileURLToPath(new URL('./run-typescript.mjs', import.meta.url));

/** A process of its own that runs a TypeScript file and talks in messages. */
export interface TestProcess {
  readonly pid: number;
  /** The next message that it sends, or that it has sent and nobody has asked for; rejects when there will be none. */
  next<T>(): Promise<T>;
  /** Hears every message from now on; `next` is told of none of them. */
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
  const messages = new Messages(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    ended,
    next: <T>() => messages.next() as Promise<T>,
    onMessage: <T>(listener: (message: T) => void) => messages.handOver((message) => listener(message as T)),
    send: (message) => void child.send(message),
    kill: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
}

/** What a process has sent. Several messages may come in at once, and the last ones after its end was told. */
class Messages {
  private readonly waiting: { readonly resolve: (message: unknown) => void; readonly reject: () => void }[] =
    [];
  private readonly unheard: unknown[] = [];
  private over = false;
  private listener: ((message: unknown) => void) | undefined;

  constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => this.take(message));
    child.once('disconnect', () => {
      this.over = true;
      for (const { reject } of this.waiting.splice(0)) reject();
    });
  }

  next(): Promise<unknown> {
    return new Promise((resolve, refuse) => {
      const reject = (): void => {
        const how = this.child.exitCode ?? this.child.signalCode ?? 'none';
        refuse(
          new Error(`The process sends nothing more (exit code ${how}), and one more message was awaited.`),
        );
      };
      if (this.unheard.length > 0) resolve(this.unheard.shift());
      else if (this.over) reject();
      else this.waiting.push({ resolve, reject });
    });
  }

  handOver(listener: (message: unknown) => void): void {
    this.listener = listener;
    for (const message of this.unheard.splice(0)) listener(message);
  }

  private take(message: unknown): void {
    if (this.listener !== undefined) this.listener(message);
    else if (this.waiting.length > 0) this.waiting.shift()?.resolve(message);
    else this.unheard.push(message);
  }
}
