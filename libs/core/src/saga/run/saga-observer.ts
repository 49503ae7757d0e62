import type { Logger } from '../../ports/logger.js';
import type { CurrentInstance } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { Rejection } from '../saga-gate.js';
import type { Change } from './build-commit.js';
import { stateName } from './step.js';
import type { Stimulus } from './stimulus.js';

/** Told of what happened to sagas, after it is durable. */
export interface SagaObserver {
  committed(change: Change, version: number): void;
  conflict(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance | null, tries: number): void;
  /** Handling a stimulus failed: nothing of it was committed, and it is tried again or given up. */
  failed(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance | null, error: unknown): void;
  /** An instance is held from now on. */
  held(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance, error: unknown): void;
  /** A stimulus waits for a held instance. */
  waits(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance): void;
  /** A stimulus came for an instance that has ended under a version which this build does not have. */
  late(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance): void;
  parked(saga: CompiledSaga, stimulus: Stimulus): void;
  discarded(saga: CompiledSaga, stimulus: Stimulus): void;
  /** A limiter or breaker before the saga did not let a message in. */
  throttled(saga: CompiledSaga, stimulus: Stimulus, rejection: Rejection): void;
}

/** One log line for each creation, transition, conflict, compensation and failure. */
export class LoggingObserver implements SagaObserver {
  constructor(private readonly logger: Logger) {}

  committed(change: Change, version: number): void {
    const { saga, instance, stimulus, standing, ref } = change;
    const state = stateName(saga, change.snapshot);
    const fields = {
      saga: ref.saga,
      id: ref.id,
      tenant: ref.tenant,
      state,
      status: standing.status,
      version,
      messageId: stimulus.messageId,
    };
    for (const { kind, name, from, to } of change.history) {
      const line = { ...fields, event: name };
      if (kind === 'created') this.logger.info(`Saga ${ref.saga} created in ${state}`, line);
      else if (kind === 'transition') this.logger.info(`Saga ${ref.saga}: ${from} → ${to}`, line);
      else if (kind === 'undo-failed')
        this.logger.error(`Saga ${ref.saga}: compensation ${name} failed for good`, line);
      else if (kind.startsWith('undo') || kind === 'undone')
        this.logger.info(`Saga ${ref.saga}: ${kind} ${name}`, line);
      else this.logger.debug(`Saga ${ref.saga}: ${kind} ${name}`, line);
    }
    if (instance !== null && standing.status !== instance.status && standing.status === 'compensated') {
      this.logger.info(`Saga ${ref.saga} compensated`, fields);
    }
  }

  conflict(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance | null, tries: number): void {
    const fields = { ...place(saga, stimulus), ...whereabouts(instance), tries };
    this.logger.info(`Saga ${saga.definition.name}: conflict, trying again`, fields);
  }

  failed(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance | null, error: unknown): void {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const fields = { ...place(saga, stimulus), ...whereabouts(instance) };
    this.logger.warn(`Saga ${saga.definition.name}: ${causeOf(stimulus)} failed: ${reason}`, fields);
  }

  held(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance, error: unknown): void {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const fields = { ...place(saga, stimulus), ...whereabouts(instance), status: 'held' };
    this.logger.error(`Saga ${saga.definition.name}: held, an operator is needed: ${reason}`, fields);
  }

  waits(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance): void {
    const fields = { ...place(saga, stimulus), ...whereabouts(instance) };
    this.logger.info(`Saga ${saga.definition.name}: ${causeOf(stimulus)} waits, the saga is held`, fields);
  }

  late(saga: CompiledSaga, stimulus: Stimulus, instance: CurrentInstance): void {
    const fields = {
      ...place(saga, stimulus),
      ...whereabouts(instance),
      version: instance.definitionVersion,
    };
    this.logger.warn(
      `Saga ${saga.definition.name}: ${causeOf(stimulus)} came after the end, and this build lacks version ${instance.definitionVersion}`,
      fields,
    );
  }

  parked(saga: CompiledSaga, stimulus: Stimulus): void {
    this.logger.info(
      `Saga ${saga.definition.name}: message parked until its instance exists`,
      place(saga, stimulus),
    );
  }

  discarded(saga: CompiledSaga, stimulus: Stimulus): void {
    this.logger.warn(
      `Saga ${saga.definition.name}: message without an instance discarded`,
      place(saga, stimulus),
    );
  }

  throttled(saga: CompiledSaga, stimulus: Stimulus, { key, error, told }: Rejection): void {
    const { name } = saga.definition;
    const end = told === undefined ? 'comes again' : 'the saga is told';
    const fields = { ...place(saga, stimulus), limit: key, reason: error.code };
    this.logger.debug(`Saga ${name}: ${causeOf(stimulus)} was not let in, ${end}`, fields);
  }
}

function place(saga: CompiledSaga, { tenant, key, messageId }: Stimulus): Record<string, string> {
  return { saga: saga.definition.name, tenant, key: key.value, messageId };
}

function whereabouts(instance: CurrentInstance | null): Record<string, string> {
  return instance === null ? {} : { id: instance.id, state: instance.state, status: instance.status };
}

function causeOf({ cause }: Stimulus): string {
  if (cause.kind === 'message') return cause.envelope.name;
  if (cause.kind === 'activity') return `activity ${cause.name}`;
  if (cause.kind === 'timer') return cause.payload.label;
  return cause.kind === 'undone' ? `undo of ${cause.name}` : `${cause.verb} by ${cause.by}`;
}
