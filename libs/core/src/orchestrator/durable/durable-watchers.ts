import { matches, type Snapshot } from '@nestjs-orchestrator/statechart';
import { MachineStoppedError } from '../errors.js';
import type { DurableGround } from './durable-ground.js';

/** Who waits for a state: told of each snapshot, until it says that it has enough. */
type Watcher = (at: Snapshot | Error) => boolean;

/** Those in this process who wait for a durable machine to be somewhere. */
export class DurableWatchers {
  private readonly waiting = new Set<Watcher>();

  constructor(
    private readonly id: string,
    private readonly ground: DurableGround,
  ) {}

  /** The first snapshot in that state, from `now` on; undefined: not within that time. @throws MachineStoppedError (as a rejection) */
  async reach(now: Snapshot, state: string, limitMs: number): Promise<Snapshot | undefined> {
    if (matches(now, state)) return now;
    if (now.status !== 'active') throw endedError(this.id, now);
    return new Promise((resolve, reject) => {
      const timer = this.ground.clock.schedule(limitMs, () => {
        this.waiting.delete(watch);
        resolve(undefined);
      });
      const watch: Watcher = (at) => {
        const isThere = !(at instanceof Error) && matches(at, state);
        if (!isThere && !(at instanceof Error) && at.status === 'active') return false;
        timer.cancel();
        if (at instanceof Error) reject(at);
        else if (isThere) resolve(at);
        else reject(endedError(this.id, at));
        return true;
      };
      this.waiting.add(watch);
    });
  }

  tell(at: Snapshot | Error): void {
    for (const watch of this.waiting) if (watch(at)) this.waiting.delete(watch);
  }
}

export function endedError(id: string, { status }: Snapshot): MachineStoppedError {
  return new MachineStoppedError(id, status === 'done' ? 'done' : 'error');
}
