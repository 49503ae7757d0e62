/** Milliseconds until somebody who holds a lock all the time has stopped in the middle, or was ended there. */
export const LOCK_PATIENCE_MS = 5_000;

/** Looks that are made in any case: whoever stood still itself meanwhile, as all processes of a machine may, has to see what the holder does afterwards. */
const LEAST_LOOKS = 50;

/** How long somebody waits for a lock that another one holds. */
export class LockPatience {
  private readonly deadline = performance.now() + LOCK_PATIENCE_MS;
  private looks = 0;

  /** After a look in vain: whether it was the last one. */
  isOver(): boolean {
    this.looks += 1;
    return this.looks >= LEAST_LOOKS && performance.now() > this.deadline;
  }
}
