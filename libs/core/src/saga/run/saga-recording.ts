import { HandlerError } from '../../handling/handler-errors.js';
import { Recording } from '../../handling/recording.js';
import { milliseconds, type Duration } from '../../message/duration.js';
import type { KeyClaim } from '../../ports/records.js';
import type { InvokeOptions } from '../activity/activity-types.js';
import type { RecordedInvocation } from '../activity/activity-work.js';
import type { AnySaga } from '../saga-types.js';
import type { SagaPhase } from '../states.js';

const LONGEST_KEY = 512;

/** What the handlers of one attempt on a saga have asked for. */
export class SagaRecording extends Recording {
  /** Delays of timers to set, `null` for those to end; the last word on each name. */
  readonly schedules = new Map<string, number | null>();
  readonly keys: KeyClaim[] = [];
  readonly invocations: RecordedInvocation[] = [];
  /** Paths of states that were left and had been waiting for activities. */
  readonly left = new Set<string>();
  /** How many of the undo steps were recorded before the last point of no return; `undefined`: there was none. */
  pivotAt: number | undefined;

  /** @param phase set while the instance is undone or after its end: then timers and keys concern nobody any more */
  constructor(
    seed: readonly string[],
    private readonly definition: AnySaga,
    private readonly phase?: SagaPhase,
  ) {
    super(seed);
  }

  pivot(): void {
    this.assertOpen('pivot');
    this.assertRunning('pivot');
    this.pivotAt = this.undo.length;
  }

  invoke(name: string, input: unknown, options: InvokeOptions<Record<string, unknown>> = {}): void {
    this.assertOpen('invoke');
    this.assertRunning('invoke');
    const { activities, compensations } = this.definition;
    if (!activities.has(name)) {
      throw new HandlerError(
        `'${name}' is no activity of this saga; add it to 'activities' of defineSaga. Declared: ${list(activities.keys())}.`,
      );
    }
    const { undo } = options;
    if (undo !== undefined && !compensations.has(undo.name)) {
      throw new HandlerError(
        `'${undo.name}', the undo of activity '${name}', is no compensation of this saga. Declared: ${list(compensations.keys())}.`,
      );
    }
    this.invocations.push({ name, input, undo });
  }

  schedule(name: string, delay: Duration | number | null): void {
    const verb = delay === null ? 'unschedule' : 'schedule';
    this.assertOpen(verb);
    this.assertRunning(verb);
    const { schedules } = this.definition;
    if (!schedules.has(name)) {
      throw new HandlerError(
        `'${name}' is no schedule of this saga; add it to 'schedules' of defineSaga. Declared: ${list(schedules)}.`,
      );
    }
    this.schedules.set(name, delay === null ? null : milliseconds(delay));
  }

  correlate(name: string, value: string): void {
    this.assertOpen('correlateWith');
    this.assertRunning('correlateWith');
    const cardinality = this.definition.keys.get(name);
    if (cardinality === undefined) {
      throw new HandlerError(
        `'${name}' is no further key of this saga; add it to 'keys' of defineSaga. Declared: ${list(this.definition.keys.keys())}.`,
      );
    }
    if (typeof value !== 'string' || value === '' || value.length > LONGEST_KEY) {
      throw new HandlerError(
        `The value of key '${name}' must be a string of 1 to ${LONGEST_KEY} characters.`,
      );
    }
    this.keys.push(cardinality === 'many' ? { name, value, many: true } : { name, value });
  }

  private assertRunning(verb: string): void {
    if (this.phase === undefined) return;
    const why = this.phase === 'ended' ? 'has ended' : 'is being undone';
    throw new HandlerError(`${verb}() has no meaning here: the saga ${why}, and nothing moves it any more.`);
  }
}

function list(names: Iterable<string>): string {
  return [...names].join(', ') || 'none';
}
