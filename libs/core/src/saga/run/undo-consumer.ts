import type { Consumed, Consumer } from '../../bus/relay/consumer.js';
import { OrchestratorError } from '../../errors/orchestrator-error.js';
import { Recording, type Outgoing } from '../../handling/recording.js';
import { timedCall } from '../../handling/timed-call.js';
import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { Logger } from '../../ports/logger.js';
import type { ClaimedWork } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { CompensationContext } from '../contexts.js';
import { SagaEndedVersionError, SagaVersionError } from '../saga-errors.js';
import type { UndoRules } from '../undo-policy.js';
import { undoId } from './decision.js';
import { successorOf } from '../versions/fit-version.js';
import { readRow, readRowOrNot } from '../../handling/unreadable-row.js';
import type { SagaRunner } from './saga-runner.js';
import type { Stimulus, UndoneCause, UndoWork } from './stimulus.js';
import { rulesOf } from './undo-outcome.js';

/** What an undo consumer needs of its node. */
export interface UndoPorts {
  readonly clock: Clock;
  readonly faults: FaultPoints;
  readonly logger: Logger;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly retryDelayMs: number;
}

/** A try of an undo step has failed, and there are tries left. */
class UndoAttemptError extends OrchestratorError {
  readonly code = 'UNDO_ATTEMPT';
  override readonly retryable = true;
  constructor(
    name: string,
    readonly retryAfterMs: number,
    cause: unknown,
  ) {
    super(`Compensation '${name}' failed: ${shown(cause)}`, { cause });
  }
}

/** A stored undo step names a compensation that this build does not have. */
export class UnknownCompensationError extends OrchestratorError {
  readonly code = 'UNKNOWN_COMPENSATION';
  constructor(
    readonly saga: string,
    readonly version: number,
    readonly compensation: string,
  ) {
    super(
      `Saga '${saga}' version ${version} has no compensation '${compensation}', which an instance has recorded. Deploy a build that ` +
        `implements it and retry the step, or let an operator skip or resolve it.`,
    );
  }
}

/**
 * Runs undo steps: at least once each, with an id that stays the same, in the order of the log. The outcome is committed into the
 * instance, which then asks for the next steps.
 */
export class UndoConsumer implements Consumer {
  readonly pool = 'general';

  constructor(
    private readonly versions: () => ReadonlyMap<number, CompiledSaga>,
    private readonly runner: SagaRunner,
    private readonly ports: UndoPorts,
  ) {}

  async consume(work: ClaimedWork): Promise<Consumed> {
    const { saga, payload } = this.read(work);
    if (saga === undefined) return this.holdOlder(work, payload);
    if (payload.expired === true) return this.report(saga, work, payload, { expired: true });
    const end = await this.tryIt(saga, work, payload);
    await this.ports.faults.reach('undo.done');
    return this.report(saga, work, payload, end);
  }

  /** Its tries ended without a word, or without hope. */
  async giveUp(work: ClaimedWork, error: unknown): Promise<Consumed | 'bury'> {
    // Its tries may be used up as well, by nodes that died with it.
    if (readRowOrNot(work, isUndoWork) === undefined || error instanceof SagaEndedVersionError) return 'bury';
    const { saga, payload } = this.read(work);
    if (saga === undefined) return this.holdOlder(work, payload);
    if (error instanceof UnknownCompensationError) {
      const stimulus = stimulusOf(work, payload, { unrun: true });
      const held = await this.runner.hold(saga, stimulus, 'undo', error, work.attempts);
      return held === 'bury' ? 'bury' : 'settled';
    }
    return this.report(saga, work, payload, { error: shown(error) });
  }

  /** A policy may allow more tries than the node does. */
  attemptsFor(work: ClaimedWork): number {
    if (readRowOrNot(work, isUndoWork) === undefined) return 1;
    const { saga, payload } = this.read(work);
    return saga === undefined ? this.ports.maxAttempts : this.limit(rulesOf(saga, payload.name));
  }

  /** It waits with its instance for a build that continues that, as whatever else comes for it. @throws SagaEndedVersionError where that is over */
  private async holdOlder(work: ClaimedWork, payload: UndoWork): Promise<Consumed> {
    const versions = this.versions();
    const highest = versions.get(Math.max(...versions.keys())) as CompiledSaga;
    const error = new SagaVersionError(highest.definition.name, payload.definitionVersion, [
      ...versions.keys(),
    ]);
    const stimulus = stimulusOf(work, payload, { unrun: true });
    const held = await this.runner.hold(highest, stimulus, 'version', error, work.attempts);
    if (held !== 'bury') return 'settled';
    const instance = { saga: highest.definition.name, id: payload.instance };
    throw new SagaEndedVersionError(instance, `'${payload.name}'`, error);
  }

  /** `saga: undefined`: the step is of an older version, which nothing in this build continues. */
  private read(work: ClaimedWork): {
    readonly saga: CompiledSaga | undefined;
    readonly payload: UndoWork;
  } {
    const payload = readRow(work, isUndoWork);
    const versions = this.versions();
    const saga = successorOf(versions, payload.definitionVersion);
    if (saga === 'newer')
      throw new SagaVersionError(work.destination, payload.definitionVersion, [...versions.keys()]);
    return { saga: saga === 'older' ? undefined : saga, payload };
  }

  private report(saga: CompiledSaga, work: ClaimedWork, payload: UndoWork, end: End): Promise<Consumed> {
    return this.runner.handle(saga, stimulusOf(work, payload, end));
  }

  /** What a try came to; throws while there are tries left. */
  private async tryIt(saga: CompiledSaga, work: ClaimedWork, payload: UndoWork): Promise<End> {
    const rules = rulesOf(saga, payload.name);
    try {
      return { outgoing: await this.run(saga, work, payload) };
    } catch (error) {
      if (error instanceof UnknownCompensationError) throw error;
      if (work.attempts >= this.limit(rules)) return { error: shown(error) };
      throw new UndoAttemptError(payload.name, this.pause(rules, work.attempts), error);
    }
  }

  private limit(rules: UndoRules): number {
    return rules.attempts ?? this.ports.maxAttempts;
  }

  private pause(rules: UndoRules, attempts: number): number {
    const first = rules.delayMs ?? this.ports.retryDelayMs;
    return Math.min(rules.maxDelayMs, first * rules.backoff ** Math.min(attempts - 1, 60));
  }

  private async run(
    saga: CompiledSaga,
    work: ClaimedWork,
    { instance, no, name, input }: UndoWork,
  ): Promise<readonly Outgoing[]> {
    const compensation = saga.behaviour.compensations.get(name);
    if (compensation === undefined)
      throw new UnknownCompensationError(saga.definition.name, saga.definition.version, name);
    const { clock, timeoutMs, faults } = this.ports;
    await faults.reach('undo.before');
    const label = `compensation '${name}'`;
    const recording = new Recording([instance, work.id]);
    recording.begin(label);
    try {
      await timedCall(clock, label, timeoutMs, (signal) => {
        const ctx: CompensationContext = {
          id: instance,
          tenant: work.tenant,
          attempt: work.attempts,
          idempotencyKey: undoId(instance, no),
          get signal(): AbortSignal {
            return signal();
          },
          send: (command, options) => recording.add('send', command, options),
        };
        return compensation(input as never, ctx);
      });
    } finally {
      recording.end();
    }
    return recording.outgoing;
  }
}

function isUndoWork({ key, instance, name, no }: Partial<UndoWork>): boolean {
  return (
    typeof key === 'object' &&
    typeof instance === 'string' &&
    typeof name === 'string' &&
    typeof no === 'number'
  );
}

type End = Partial<Pick<UndoneCause, 'error' | 'outgoing' | 'expired' | 'unrun'>>;

function stimulusOf(work: ClaimedWork, payload: UndoWork, end: End): Stimulus {
  const { key, no, name, round = 0 } = payload;
  const { tenant, destination, id } = work;
  const cause: UndoneCause = { kind: 'undone', no, name, round, outgoing: [], expired: false, ...end };
  return { tenant, key, messageId: id, work: { tenant, destination, id }, cause };
}

function shown(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
