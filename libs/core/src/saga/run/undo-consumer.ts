import type { Consumed, Consumer } from '../../bus/relay/consumer.js';
import { parseJson } from '../../message/json.js';
import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { Logger } from '../../ports/logger.js';
import type { ClaimedWork } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { CompensationContext } from '../contexts.js';
import { SagaVersionError } from '../saga-errors.js';
import { undoId } from './decision.js';
import type { SagaRunner } from './saga-runner.js';
import type { UndoWork } from './stimulus.js';
import { timedCall } from '../../handling/timed-call.js';

/** What an undo consumer needs of its node. */
export interface UndoPorts {
  readonly clock: Clock;
  readonly faults: FaultPoints;
  readonly logger: Logger;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
}

/**
 * Runs undo steps: at least once each, with an id that stays the same, one after the other per instance. The outcome is committed into the
 * instance, which then asks for the next step.
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
    const error = await this.tryIt(saga, work, payload);
    await this.ports.faults.reach('undo.done');
    return this.report(saga, work, payload, error);
  }

  async exhausted(work: ClaimedWork): Promise<Consumed> {
    const { saga, payload } = this.read(work);
    return this.report(saga, work, payload, `begun ${work.attempts - 1} times, and never ended`);
  }

  private read(work: ClaimedWork): { readonly saga: CompiledSaga; readonly payload: UndoWork } {
    const payload = parseJson(work.payload) as UndoWork;
    const saga = this.versions().get(payload.definitionVersion);
    if (saga === undefined) {
      throw new SagaVersionError(work.destination, payload.definitionVersion, [...this.versions().keys()]);
    }
    return { saga, payload };
  }

  private report(
    saga: CompiledSaga,
    work: ClaimedWork,
    payload: UndoWork,
    error: string | undefined,
  ): Promise<Consumed> {
    return this.runner.handle(saga, {
      tenant: work.tenant,
      key: payload.key,
      messageId: work.id,
      work: { tenant: work.tenant, destination: work.destination, id: work.id },
      cause: {
        kind: 'undone',
        no: payload.no,
        name: payload.name,
        ...(error === undefined ? {} : { error }),
      },
    });
  }

  /** What went wrong for good; throws while there are tries left. */
  private async tryIt(saga: CompiledSaga, work: ClaimedWork, payload: UndoWork): Promise<string | undefined> {
    try {
      await this.run(saga, work, payload);
      return undefined;
    } catch (error) {
      if (work.attempts < this.ports.maxAttempts) throw error;
      return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }

  private async run(
    saga: CompiledSaga,
    work: ClaimedWork,
    { instance, no, name, input }: UndoWork,
  ): Promise<void> {
    const compensation = saga.behaviour.compensations.get(name);
    if (compensation === undefined)
      throw new Error(`Saga '${saga.definition.name}' has no compensation '${name}'.`);
    const { clock, timeoutMs, faults } = this.ports;
    await faults.reach('undo.before');
    await timedCall(clock, `compensation '${name}'`, timeoutMs, (signal) => {
      const ctx: CompensationContext = {
        id: instance,
        tenant: work.tenant,
        attempt: work.attempts,
        idempotencyKey: undoId(instance, no),
        get signal(): AbortSignal {
          return signal();
        },
      };
      return compensation(input as never, ctx);
    });
  }
}
