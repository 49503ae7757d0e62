/** Something to be run at a virtual instant. */
export interface Task {
  readonly at: number;
  /** Order of scheduling, for tasks of one instant. */
  readonly order: number;
  readonly run: () => void;
}

/** Tasks in the order in which they are due. */
export class TaskQueue {
  private readonly tasks: Task[] = [];
  private scheduled = 0;

  get size(): number {
    return this.tasks.length;
  }

  add(at: number, run: () => void): Task {
    const task = { at, order: this.scheduled++, run };
    this.tasks.splice(this.placeOf(task), 0, task);
    return task;
  }

  /** Harmless for a task that has run. */
  remove(task: Task): void {
    const place = this.placeOf(task);
    if (this.tasks[place] === task) this.tasks.splice(place, 1);
  }

  /** Takes the first task, if it is due by `instant`. */
  take(instant: number): Task | undefined {
    const [first] = this.tasks;
    return first !== undefined && first.at <= instant ? this.tasks.shift() : undefined;
  }

  /** By halving: how many tasks are due before this one. */
  private placeOf(task: Task): number {
    let [low, high] = [0, this.tasks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.tasks[middle] as Task, task)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
