import { DrainTimeoutError } from '../errors.js';
import type { DrainOptions } from '../orchestrator.js';
import { assertTimeLimit } from '../time-limit.js';
import type { GroupCore } from './group-core.js';

/** Those who wait for the group to come to rest: nothing queued, no action under way. */
export class RestWatch {
  private readonly waiting = new Set<() => void>();

  constructor(private readonly core: GroupCore) {}

  /** Called whenever it may have come to rest. */
  check(): void {
    if (this.waiting.size === 0 || !this.isAtRest()) return;
    for (const tell of this.waiting) tell();
  }

  async wait({ timeoutMs, signal }: DrainOptions): Promise<void> {
    assertTimeLimit(timeoutMs);
    signal?.throwIfAborted();
    if (this.isAtRest()) return;
    const { core, waiting } = this;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => leave(() => reject(signal?.reason as Error));
      const timer =
        timeoutMs === undefined
          ? undefined
          : core.clock.schedule(timeoutMs, () =>
              leave(() => reject(new DrainTimeoutError(core.name, timeoutMs, core.queued, core.running))),
            );
      const leave = (settle: () => void): void => {
        waiting.delete(rested);
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const rested = (): void => leave(resolve);
      waiting.add(rested);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  private isAtRest(): boolean {
    const { queued, running, waitingSenders } = this.core;
    return queued === 0 && running === 0 && waitingSenders === 0;
  }
}
