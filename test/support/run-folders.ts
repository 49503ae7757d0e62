import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the servers of one test run have their files. */
export interface RunFolder {
  readonly folder: string;
  /** Ends the servers in it and removes it; the end of this process, of whatever kind, does the same. */
  close(): Promise<void>;
}

/** Temporary folders of one kind, a new one for each run; its name says which process it belongs to. */
export class RunFolders {
  constructor(
    private readonly prefix: string,
    /** A program that ends the servers in a folder and removes it when its input closes. */
    private readonly watchdog: URL,
  ) {}

  /** Makes a folder, after removing what dead runs left behind. */
  async open(): Promise<RunFolder> {
    const temporary = realpathSync(tmpdir());
    await this.sweep(temporary);
    const folder = mkdtempSync(join(temporary, `${this.prefix}${process.pid}-`));
    return { folder, close: this.watch(folder) };
  }

  /** Does at once what the watchdog would do at the end. */
  async remove(folder: string): Promise<void> {
    await this.watch(folder)();
  }

  /** One way out for every kind of end: the watchdog cleans up when our end of its pipe closes. */
  private watch(folder: string): () => Promise<void> {
    const watchdog = spawn(process.execPath, [fileURLToPath(this.watchdog), folder], {
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
  private async sweep(temporary: string): Promise<void> {
    for (const name of readdirSync(temporary)) {
      const pid = Number(new RegExp(`^${this.prefix}(\\d+)-`).exec(name)?.[1]);
      if (Number.isInteger(pid) && !isAlive(pid)) await this.remove(join(temporary, name));
    }
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
