interface Job<P> {
  readonly passenger: P | undefined;
  readonly start: () => Promise<void>;
  /** Ends the job without starting it. */
  readonly settle: (value: unknown) => void;
}

/**
 * One queue per instance: tasks of one mailbox run one after the other in the order they came, mailboxes run side by side.
 *
 * A mailbox exists only while it has tasks, so that any number of instances costs nothing at rest. A task may say what it is about, its
 * *passenger*: then the one that runs before it may do its work along with its own.
 */
export class Mailboxes<P = never> {
  private readonly queues = new Map<string, Job<P>[]>();

  /** Mailboxes with a task running. */
  get busy(): number {
    return this.queues.size;
  }

  /** Whether a task of the mailbox is running. */
  isBusy(mailbox: string): boolean {
    return this.queues.has(mailbox);
  }

  /** Runs `task` after all earlier ones of `mailbox`; settles as the task does. */
  run<T>(mailbox: string, task: () => Promise<T>, passenger?: P): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const start = (): Promise<void> => task().then(resolve, reject);
      const job = { passenger, start, settle: resolve as (value: unknown) => void };
      const queue = this.queues.get(mailbox);
      if (queue !== undefined) {
        queue.push(job);
        return;
      }
      this.queues.set(mailbox, [job]);
      void this.work(mailbox);
    });
  }

  /** The passenger of the task that stands `place` places behind the running one (1: next), if it and all before it have one. */
  behind(mailbox: string, place: number): P | undefined {
    const queue = this.queues.get(mailbox) ?? [];
    for (let n = 1; n < place; n += 1) if (queue[n]?.passenger === undefined) return undefined;
    return queue[place]?.passenger;
  }

  /** Settles the next `count` tasks behind the running one with `value`: it has done their work, so they don't run. */
  takeAlong(mailbox: string, count: number, value: unknown): void {
    if (count === 0) return;
    for (const job of this.queues.get(mailbox)?.splice(1, count) ?? []) job.settle(value);
  }

  private async work(mailbox: string): Promise<void> {
    const queue = this.queues.get(mailbox) as Job<P>[];
    // The running job stays at the head, so that a newcomer sees that the mailbox is busy.
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      await next.start();
      queue.shift();
    }
    this.queues.delete(mailbox);
  }
}
