import { OrchestratorError } from '@nestjs-orchestrator/core';

/** Taken when the module loads, so that a test runner's fake timers do not stop the waiting for real things. */
const { setImmediate: nextTurn, setTimeout: startTimer, clearTimeout: stopTimer } = globalThis;

/** Virtual time could not go on, because something real did not end. */
export class NotSettledError extends OrchestratorError {
  readonly code = 'CLOCK_NOT_SETTLED';
}

/** Something that is awaited before time goes on. */
export type IdleHook = () => void | Promise<void>;

/**
 * Knows when nothing moves any more: all promise chains have run out, and what is real (I/O) and was tracked has ended.
 */
export class Settling {
  private readonly tracked = new Map<Promise<unknown>, string>();
  private readonly hooks = new Map<IdleHook, string>();
  /** Counts what was tracked, to notice that something new began while the rest ended. */
  private begun = 0;
  /** Told when something tracked has ended: thousands may be tracked at once, so nobody races them all. */
  private readonly watchers = new Set<() => void>();

  /** @param patienceMs real milliseconds after which waiting is given up; it only turns a hang into an error with names */
  constructor(private readonly patienceMs: number) {}

  track<T>(work: Promise<T>, label: string): Promise<T> {
    this.begun += 1;
    const forget = (): void => {
      this.tracked.delete(ended);
      for (const watch of this.watchers) watch();
    };
    const ended: Promise<void> = work.then(forget, forget);
    this.tracked.set(ended, label);
    return work;
  }

  addHook(label: string, hook: IdleHook): () => void {
    const entry: IdleHook = () => hook();
    this.hooks.set(entry, label);
    return () => void this.hooks.delete(entry);
  }

  async settled(): Promise<void> {
    let begun: number;
    do {
      begun = this.begun;
      await turn();
      await this.trackedEnd();
      await this.hooksPass();
      await turn();
    } while (this.tracked.size > 0 || begun !== this.begun);
  }

  private async trackedEnd(): Promise<void> {
    while (this.tracked.size > 0) {
      const labels = (): string => [...new Set(this.tracked.values())].join(', ');
      await this.patiently((progress) => this.allEnd(progress), labels);
      await turn();
    }
  }

  /** Settles when nothing tracked is left; calls `progress` whenever there is less. */
  private allEnd(progress: () => void): Promise<void> {
    return new Promise((resolve) => {
      const watch = (): void => {
        if (this.tracked.size > 0) return progress();
        this.watchers.delete(watch);
        resolve();
      };
      this.watchers.add(watch);
    });
  }

  private async hooksPass(): Promise<void> {
    for (const [hook, label] of this.hooks)
      await this.patiently(
        () => Promise.resolve(hook()),
        () => label,
      );
  }

  /** `wait` is given a way to say that it goes on, after which patience begins anew. */
  private async patiently(
    wait: (progress: () => void) => Promise<unknown>,
    what: () => string,
  ): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = startTimer(() => {
        const message = `Virtual time waits for ${what()}, which has not ended within ${this.patienceMs} ms of real time. `;
        reject(new NotSettledError(`${message}Track only what ends without virtual time going on.`));
      }, this.patienceMs);
    });
    try {
      await Promise.race([wait(() => timer?.refresh()), late]);
    } finally {
      stopTimer(timer);
    }
  }
}

/**
 * Lets every promise chain run to its end, however long it is: a turn of the event loop begins only when no microtask is left.
 */
function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}
