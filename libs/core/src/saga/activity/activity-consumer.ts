import type { Consumed, Consumer } from '../../bus/relay/consumer.js';
import { isNoFaultOfWork, mayRetry } from '../../bus/relay/retry-policy.js';
import { errorText } from '../../errors/error-text.js';
import { tellable } from '../../errors/tellable.js';
import { parseJson, toJson } from '../../message/json.js';
import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { Finish, FinishResult, InstanceStore } from '../../ports/instance-store.js';
import type { Logger } from '../../ports/logger.js';
import type { ClaimedWork, CurrentInstance, WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { checkValue } from '../run/check-values.js';
import { readHold } from '../run/hold.js';
import { notesOf } from '../run/notes.js';
import { SagaVersionError } from '../saga-errors.js';
import type { InstanceWaits } from '../wait/instance-waits.js';
import { successorOf } from '../versions/fit-version.js';
import {
  ActivityAttemptError,
  ActivityCancelledError,
  ActivityStoppedError,
  UnknownActivityError,
} from './activity-errors.js';
import { ActivityTry } from './activity-run.js';
import type { ActivityDefinition } from './activity-types.js';
import { outcomeWork, type ActivityOutcome, type ActivityWork } from './activity-work.js';
import { pauseAfter } from './read-activities.js';

/** What running activities needs of its node. */
export interface ActivityPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly faults: FaultPoints;
  readonly waits: InstanceWaits;
  readonly maxPayload: number;
  /** Makes an outcome durable in place of the activity's row; coalesced. */
  readonly finish: (item: Finish) => Promise<FinishResult>;
  /** Work is durable; `leased`: this node dispatches it. */
  readonly written: (work: readonly WorkRecord[], leased: boolean) => void;
  /** The node takes up nothing new. */
  readonly stopping: () => boolean;
}

const LONGEST_PAUSE_MS = 5_000;

/** One invocation, with everything that is known of it. */
interface Invocation {
  readonly saga: CompiledSaga;
  readonly definition: ActivityDefinition;
  readonly work: ClaimedWork;
  readonly payload: ActivityWork;
}

/**
 * Runs activities: under the lease that the relay keeps, with pauses between tries, and cancelled when the state that waits is left. The outcome is a
 * message to the instance; if its commit meets a conflict, that is repeated, never the activity.
 */
export class ActivityConsumer implements Consumer {
  readonly pool = 'general';

  constructor(
    private readonly versions: () => ReadonlyMap<number, CompiledSaga>,
    private readonly ports: ActivityPorts,
  ) {}

  async consume(work: ClaimedWork): Promise<Consumed> {
    const invocation = this.read(work);
    const { payload, definition } = invocation;
    if (!(await this.isWanted(invocation)))
      return this.report(invocation, { kind: 'cancelled', begun: work.attempts > 1 });
    if (work.attempts > definition.attempts) {
      const message = `begun ${work.attempts - 1} times, and never ended`;
      return this.report(invocation, { kind: 'failed', error: { name: 'Error', message } });
    }
    const outcome = await this.tryIt(invocation);
    await this.ports.faults.reach('activity.done');
    this.ports.logger.debug(`Activity ${payload.name}: ${outcome.kind}`, { id: payload.instance });
    return this.report(invocation, outcome);
  }

  /** As often as it says itself, and once more to tell that none of its tries ended; what can't be read is tried as often as the node says. */
  attemptsFor(work: ClaimedWork): number | undefined {
    try {
      return this.read(work).definition.attempts + 1;
    } catch {
      return undefined;
    }
  }

  /** The saga is told, if there is one to be told. */
  async giveUp(work: ClaimedWork, error: unknown): Promise<Consumed | 'bury'> {
    let invocation: Invocation;
    try {
      invocation = this.read(work);
    } catch (unread) {
      if (isNoFaultOfWork(unread)) throw unread;
      return 'bury';
    }
    const { name, message } = errorText(error);
    return this.report(invocation, { kind: 'failed', error: { name, message } });
  }

  private read(work: ClaimedWork): Invocation {
    const payload = parseJson(work.payload) as ActivityWork;
    const versions = this.versions();
    const { definitionVersion, name } = payload;
    const saga = successorOf(versions, definitionVersion);
    if (saga === 'newer')
      throw new SagaVersionError(work.destination, definitionVersion, [...versions.keys()]);
    const definition = saga === 'older' ? undefined : saga.definition.activities.get(name);
    if (saga === 'older' || definition === undefined)
      throw new UnknownActivityError(work.destination, definitionVersion, name);
    return { saga, definition, work, payload };
  }

  private async isWanted({ saga, work, payload }: Invocation): Promise<boolean> {
    const { store, clock } = this.ports;
    const request = {
      tenant: work.tenant,
      saga: saga.definition.name,
      by: { id: payload.instance },
      messageId: '',
    };
    const [result] = await store.load([request], { now: clock.storeNow() });
    return waitsFor(result?.instance ?? null, payload.invocation);
  }

  /** How it ended. Throws while there are tries left: the relay gives the row back then, which it must not hold any more when that is known. */
  private async tryIt(invocation: Invocation): Promise<ActivityOutcome> {
    const { saga, definition, work, payload } = invocation;
    const { clock, waits } = this.ports;
    const label = `activity '${payload.name}'`;
    const attempt = new ActivityTry(clock, { ...definition, label });
    let cancelled = false;
    const cancel = (): void => {
      cancelled = true;
      attempt.cancel(new ActivityCancelledError(payload.name));
    };
    const stopWatching = waits.add({
      at: { tenant: work.tenant, saga: saga.definition.name, by: { id: payload.instance } },
      look: (instance) => {
        if (!waitsFor(instance, payload.invocation)) cancel();
      },
      stopped: () => attempt.cancel(new ActivityStoppedError(payload.name)),
    });
    try {
      const output = await this.call(invocation, attempt);
      return { kind: 'done', output };
    } catch (error) {
      if (cancelled) return { kind: 'cancelled', begun: true };
      return this.failed(invocation, tellable(error));
    } finally {
      stopWatching();
    }
  }

  private async call(
    { saga, definition, work, payload }: Invocation,
    attempt: ActivityTry,
  ): Promise<unknown> {
    const run = saga.behaviour.activities?.get(payload.name);
    if (run === undefined)
      throw new Error(`Saga '${saga.definition.name}' has no activity '${payload.name}'.`);
    await this.ports.faults.reach('activity.before');
    const ctx = {
      id: payload.instance,
      tenant: work.tenant,
      attempt: work.attempts,
      idempotencyKey: payload.invocation,
    };
    const result = await attempt.run(ctx, (whole) => run(payload.input as never, whole));
    const output = result === undefined ? null : result;
    const what = `output of activity '${payload.name}'`;
    await checkValue(definition.output, output, what);
    return JSON.parse(toJson(output, what, this.ports.maxPayload)) as unknown;
  }

  private failed({ definition, work, payload }: Invocation, thrown: unknown): ActivityOutcome {
    if (isNoFaultOfWork(thrown)) throw thrown;
    const { name, message } = errorText(thrown);
    if (!mayRetry(thrown) || work.attempts >= definition.attempts)
      return { kind: 'failed', error: { name, message } };
    // What a node has given up since it stops is taken up by another one at once.
    const pause = this.ports.stopping() ? 0 : pauseAfter(definition, work.attempts);
    throw new ActivityAttemptError(payload.name, pause, `${name}: ${message}`, thrown);
  }

  /** Makes the outcome durable, and the activity done with it. While the store is away it is tried again: the activity is not run for that. */
  private async report({ saga, work, payload }: Invocation, outcome: ActivityOutcome): Promise<Consumed> {
    const row = outcomeWork(saga.definition.name, work, payload, outcome, this.ports.clock.now());
    const { tenant, destination, id } = work;
    const item: Finish = { message: { tenant, destination, id }, outcome: outcome.kind, work: [row] };
    for (let tries = 1; ; tries++) {
      try {
        const result = await this.ports.finish(item);
        if (result.outcome === 'finished') this.ports.written([row], result.leased);
        return 'consumed';
      } catch (error) {
        if (!isNoFaultOfWork(error) || this.ports.stopping()) throw error;
        await this.pause(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** Math.min(tries, 10)));
      }
    }
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.ports.clock.schedule(delayMs, resolve));
  }
}

/** Whether an instance is in the state that waits for the outcome of an invocation; one that is held is where it was. */
function waitsFor(instance: CurrentInstance | null, invocation: string): boolean {
  if (instance === null || (readHold(instance)?.was ?? instance.status) !== 'running') return false;
  return notesOf(instance).invocations.has(invocation);
}
