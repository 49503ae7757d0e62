import { milliseconds, type Duration } from '../../message/duration.js';
import type { Clock } from '../../ports/clock.js';
import type { InstanceStore, LoadRequest } from '../../ports/instance-store.js';
import type { StoredHistory, StoredInstance } from '../../ports/records.js';
import type { InstanceWaits } from './instance-waits.js';
import { SagaEndedError, SagaWaitAbortedError, SagaWaitTimeoutError } from './wait-errors.js';
import { isWithin } from '../states.js';

/** What is waited for: one of these states, or whatever the function finds. */
export type Until = readonly string[] | ((instance: StoredInstance) => boolean);

/** How long, and for whom. */
export interface WaitLimits {
  readonly timeout: Duration | number;
  readonly signal: AbortSignal | undefined;
}

/** What waiting needs of its node. */
export interface WaitPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly waits: InstanceWaits;
}

/** Settles with the instance once it is there, or has been since the wait began. */
export function waitUntil(
  ports: WaitPorts,
  at: Omit<LoadRequest, 'messageId'>,
  until: Until,
  { timeout, signal }: WaitLimits,
): Promise<StoredInstance> {
  const timeoutMs = milliseconds(timeout);
  const { saga } = at;
  if (signal?.aborted === true)
    return Promise.reject(new SagaWaitAbortedError(saga, 'its signal was aborted', signal.reason));
  return new Promise<StoredInstance>((resolve, reject) => {
    const progress = new Progress(ports, at, until);
    const end = (settle: () => void): void => {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
      stop();
      settle();
    };
    const abort = (): void =>
      end(() => reject(new SagaWaitAbortedError(saga, 'its signal was aborted', signal?.reason)));
    const timer = ports.clock.schedule(timeoutMs, () =>
      end(() => reject(new SagaWaitTimeoutError(saga, progress.state, timeoutMs))),
    );
    signal?.addEventListener('abort', abort, { once: true });
    let stop = (): void => {};
    stop = ports.waits.add({
      at,
      look: async (instance) => {
        try {
          const found = await progress.look(instance);
          if (found !== null) end(() => resolve(found));
        } catch (error) {
          if (isPassing(error)) throw error;
          end(() => reject(error));
        }
      },
      stopped: () => end(() => reject(new SagaWaitAbortedError(saga, 'the node is stopping'))),
    });
  });
}

/** What has been seen of the instance that is waited for. */
class Progress {
  /** As last seen; `undefined`: not looked yet. */
  private last: StoredInstance | null | undefined;

  constructor(
    private readonly ports: Pick<WaitPorts, 'store' | 'clock'>,
    private readonly at: Omit<LoadRequest, 'messageId'>,
    private readonly until: Until,
  ) {}

  get state(): string | null {
    return this.last?.state ?? null;
  }

  /** The instance, if it is or was where it is waited for. */
  async look(instance: StoredInstance | null): Promise<StoredInstance | null> {
    const { last } = this;
    // Another one has its key by now, or it was removed: either only after its end.
    if (last && last.id !== instance?.id) return this.left(last);
    if (instance === null) return last === undefined ? this.archived() : null;
    const found = instance.version === last?.version ? null : await this.changed(instance, last);
    // Only now it has been seen: where the store could not tell the way there, the next look asks again.
    this.last = instance;
    return found;
  }

  private async changed(
    instance: StoredInstance,
    last: StoredInstance | null | undefined,
  ): Promise<StoredInstance | null> {
    if (this.holds(instance)) return instance;
    if (last !== undefined && (await this.passed(instance, last?.version ?? 0))) return instance;
    if (instance.ended) throw new SagaEndedError(instance.saga, instance.state, instance.status);
    return null;
  }

  /** What had the key before, or was removed, as it ended. */
  private async left(last: StoredInstance): Promise<StoredInstance> {
    const { store, clock } = this.ports;
    const { tenant, saga, id, version } = last;
    const [loaded] = await store.load([{ tenant, saga, by: { id }, messageId: '' }], {
      now: clock.storeNow(),
    });
    const archived = loaded?.instance ? null : await store.archived(last);
    const now = loaded?.instance ?? archived?.instance;
    if (now === undefined) throw new SagaEndedError(saga, last.state, 'removed since');
    if (this.holds(now) || (await this.passed(now, version, archived?.history))) return now;
    throw new SagaEndedError(saga, now.state, now.status);
  }

  /** What was archived before the wait began; nothing of a key, which may be that of one to come. */
  private async archived(): Promise<StoredInstance | null> {
    const { tenant, saga, by } = this.at;
    const archived = 'id' in by ? await this.ports.store.archived({ tenant, saga, id: by.id }) : null;
    this.last = null;
    const found = archived?.instance;
    if (found === undefined || this.holds(found)) return found ?? null;
    throw new SagaEndedError(saga, found.state, found.status);
  }

  private holds(instance: StoredInstance): boolean {
    if (typeof this.until === 'function') return this.until(instance);
    return this.until.some((state) => isWithin(instance.state, state));
  }

  /** A state that was left again before anybody looked is found in the history. */
  private async passed(
    instance: StoredInstance,
    since: number,
    history?: readonly StoredHistory[],
  ): Promise<boolean> {
    const { until } = this;
    if (typeof until === 'function' || instance.version <= since + 1) return false;
    const lines = history ?? (await this.ports.store.history(instance));
    return lines.some(
      ({ version, to }) => version > since && to !== null && until.some((state) => isWithin(to, state)),
    );
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'STORE_UNAVAILABLE';
}
