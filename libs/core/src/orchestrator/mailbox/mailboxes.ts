/**
 * One queue per instance: tasks of one mailbox run one after the other in the order they came, mailboxes run side by side.
 *
 * A mailbox exists only while it has tasks, so that any number of instances costs nothing at rest.
 */
export class Mailboxes {
  private readonly queues = new Map<string, (() => Promise<void>)[]>();

  /** Mailboxes with a task running. */
  get busy(): number {
    return this.queues.size;
  }

  /** Runs `task` after all earlier ones of `mailbox`; settles as the task does. */
  run<T>(mailbox: string, task: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const job = (): Promise<void> => task().then(resolve, reject);
      const queue = this.queues.get(mailbox);
      if (queue !== undefined) {
        queue.push(job);
        return;
      }
      this.queues.set(mailbox, [job]);
      void this.work(mailbox);
    });
  }

  private async work(mailbox: string): Promise<void> {
    const queue = this.queues.get(mailbox) as (() => Promise<void>)[];
    // The running job stays at the head, so that a newcomer sees that the mailbox is busy.
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      await next();
      queue.shift();
    }
    this.queues.delete(mailbox);
  }
}
