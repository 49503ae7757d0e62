import { milliseconds, type Duration } from '../../message/duration.js';
import type { Clock } from '../../ports/clock.js';
import type { InstanceStore, LoadRequest } from '../../ports/instance-store.js';
import type { StoredInstance } from '../../ports/records.js';
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
    const progress = new Progress(ports.store, until);
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

/** What has been seen of one instance. */
class Progress {
  state: string | null = null;
  /** Version last seen; `null`: not looked yet. */
  private version: number | null = null;

  constructor(
    private readonly store: InstanceStore,
    private readonly until: Until,
  ) {}

  /** The instance, if it is or was where it is waited for. */
  async look(instance: StoredInstance | null): Promise<StoredInstance | null> {
    const before = this.version;
    this.version = instance?.version ?? 0;
    this.state = instance?.state ?? null;
    if (instance === null || instance.version === before) return null;
    if (this.holds(instance) || (await this.passed(instance, before))) return instance;
    if (instance.ended) throw new SagaEndedError(instance.saga, instance.state, instance.status);
    return null;
  }

  private holds(instance: StoredInstance): boolean {
    if (typeof this.until === 'function') return this.until(instance);
    return this.until.some((state) => isWithin(instance.state, state));
  }

  /** A state that was left again before anybody looked is found in the history. */
  private async passed(instance: StoredInstance, before: number | null): Promise<boolean> {
    const { until } = this;
    if (typeof until === 'function' || before === null || instance.version <= before + 1) return false;
    const lines = await this.store.history(instance);
    return lines.some(
      ({ version, to }) => version > before && to !== null && until.some((state) => isWithin(to, state)),
    );
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'STORE_UNAVAILABLE';
}
