import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { root } from '../../support/workspace.js';

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Node program of ours, its output line by line, and its end. */
export class Program {
  readonly lines: string[] = [];
  readonly ended: Promise<Ending>;
  private readonly child: ChildProcessByStdio<null, Readable, Readable>;
  private readonly listeners = new Set<() => void>();
  private over = false;

  constructor(
    file: string,
    environment: Readonly<Record<string, string | undefined>>,
    flags: readonly string[] = [],
  ) {
    this.child = spawn(process.execPath, [file, ...flags], {
      cwd: root,
      env: { ...process.env, VITEST: undefined, NODE_ENV: 'production', NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.tell(line));
    }
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      this.over = true;
      this.ring();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The first line, past or future, that holds the text; `from` skips earlier ones. Fails when the program ends without it. */
  async line(text: string, from = 0): Promise<string> {
    for (;;) {
      const rung = this.next();
      const found = this.lines.slice(from).find((line) => line.includes(text));
      if (found !== undefined) return found;
      if (this.over) {
        throw new Error(`It ended without a line that holds '${text}':\n${this.lines.slice(-20).join('\n')}`);
      }
      await rung;
    }
  }

  /** Settles when it has written so many lines. */
  async count(lines: number): Promise<void> {
    while (this.lines.length < lines && !this.over) await this.next();
  }

  /** Settles when something new is there: more lines, or the end; of one that has ended, in the next turn. */
  next(): Promise<void> {
    if (this.over) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const listener = (): void => {
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }

  signal(signal: NodeJS.Signals): Promise<Ending> {
    this.child.kill(signal);
    return this.ended;
  }

  private tell(line: string): void {
    this.lines.push(line);
    this.ring();
  }

  private ring(): void {
    for (const listener of this.listeners) listener();
  }
}
