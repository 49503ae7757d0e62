import { OrchestratorError } from '../../errors/orchestrator-error.js';
import { parseJson } from '../../message/json.js';
import type { DueTimer, KeyRecord } from '../../ports/records.js';
import { scheduleEvent } from '../compile/compiled-saga.js';
import type { TimerPayload } from './stimulus.js';
import { scheduledBy } from './timer-changes.js';

/** A stored timer does not say what it must: its instance is held with what its name tells of it. */
export class UnreadableTimerError extends OrchestratorError {
  readonly code = 'UNREADABLE_TIMER';
  constructor({ saga, id, name }: DueTimer, options: { cause?: unknown } = {}) {
    super(
      `The payload of timer '${name}' of saga '${saga}' ${id} can't be read: somebody else has written or changed it. ` +
        `'replay' fires it as its name says, 'skip' drops it.`,
      options,
    );
  }
}

/**
 * The payload of a timer.
 *
 * @throws UnreadableTimerError for what is no JSON, or lacks something
 */
export function readTimerPayload(timer: DueTimer): TimerPayload {
  let payload: unknown;
  try {
    payload = parseJson(timer.payload);
  } catch (cause) {
    throw new UnreadableTimerError(timer, { cause });
  }
  if (!isWhole(payload)) throw new UnreadableTimerError(timer);
  return payload;
}

/** What the payload of a timer must have been: its name and token tell all of it but the key. */
export function payloadByName({ name, token }: DueTimer, key: KeyRecord): TimerPayload {
  const schedule = scheduledBy(name);
  if (schedule !== undefined)
    return { key, schedule, event: scheduleEvent(schedule), label: `schedule ${schedule}` };
  const [, delay = '', node = ''] = AFTER.exec(name) ?? [];
  return { key, node, epoch: Number(token), event: name, label: `after ${delay} ms` };
}

/** How the engine names the timers of a state. */
const AFTER = /^xstate\.after\.([^.]*)\.(.*)$/;

function isWhole(payload: unknown): payload is TimerPayload {
  if (typeof payload !== 'object' || payload === null) return false;
  const { key, event, label } = payload as Partial<TimerPayload>;
  if (typeof event !== 'string' || typeof label !== 'string') return false;
  return typeof key?.name === 'string' && typeof key.value === 'string';
}
