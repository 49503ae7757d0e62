import type { EventObject, Machine } from '@nestjs-orchestrator/statechart';
import { matches } from '@nestjs-orchestrator/statechart';
import type { MessageBus, PublishReceipt } from '../bus/message-bus.js';
import type { Duration } from '../message/duration.js';
import type { MachineRef } from '../orchestrator/machine-ref.js';
import type { Orchestrator } from '../orchestrator/orchestrator.js';
import type { Clock } from '../ports/clock.js';
import type { IdSource } from '../ports/ids.js';
import { systemClock, uuidSource } from '../ports/system-clock.js';
import type { SagaInstance, SagaReadOptions, SagaRepository } from '../saga/saga-repository.js';
import type { AnySaga, StateOf } from '../saga/saga-types.js';
import { BatchOptionError, BatchTargetError } from './batch-errors.js';
import { batchSettings, type BatchOptions } from './batch-options.js';
import type { BatchRequest, PublishBatchRequest, SendBatchRequest } from './batch-request.js';
import type { BatchProgress, BatchResult } from './batch-result.js';
import { BatchRun, type BatchSource } from './batch-run.js';

/** What a {@link BatchService} works on. */
export interface BatchServiceOptions {
  /** For requests to machines. */
  readonly orchestrator?: Orchestrator;
  /** For messages to sagas and handlers. */
  readonly bus?: MessageBus;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Makes correlation ids. Default: random UUIDs. */
  readonly ids?: IdSource;
}

/** A batch under way. */
export interface Batch {
  /**
   * Settles when nothing of it is under way any more. Failed items do not reject it.
   *
   * @throws BatchSourceError, as a rejection, if its requests could not be read to their end
   */
  readonly result: Promise<BatchResult>;
  /** Each item as it ends, from now on, with the totals. Ends with the batch. */
  progress(): AsyncIterable<BatchProgress>;
}

/** Which instances of a saga. With both, those that have been in the state, unchanged, for so long. */
export interface SagaBatchQuery<G extends AnySaga> extends SagaReadOptions {
  readonly state?: StateOf<G>;
  /** Not ended, and not changed for at least so long, by the store's clock. */
  readonly unchangedFor?: Duration | number;
}

/** Which machines of the group. */
export interface MachineBatchQuery {
  /** Only machines of this definition. Default: all. */
  readonly machine?: Machine;
  /** Only those that are in this state when their turn comes. Default: all. */
  readonly state?: string;
}

/** Fires many requests at machines and sagas, through the same mailboxes as everything else, a bounded number at a time. */
export class BatchService {
  private readonly clock: Clock;
  private readonly ids: IdSource;

  constructor(private readonly options: BatchServiceOptions) {
    this.clock = options.clock ?? systemClock;
    this.ids = options.ids ?? uuidSource;
  }

  /**
   * Does all requests. They begin in their order; those for one machine or saga that are under way at the same time are handled in the order in which they began.
   *
   * @throws BatchOptionError naming the option, its rule and the value
   */
  fire(requests: BatchSource, options: BatchOptions = {}): Batch {
    const perform = (request: BatchRequest, correlationId: string, signal: AbortSignal): Promise<unknown> =>
      this.perform(request, correlationId, signal);
    return new BatchRun(requests, batchSettings(options), { clock: this.clock, ids: this.ids, perform });
  }

  /**
   * Does one request for each instance that the query finds, read in pages as they are needed. What the function answers `undefined` for is passed over.
   *
   * @throws BatchOptionError for a query without `state` and `unchangedFor`, and as {@link fire}
   */
  fireSagas<G extends AnySaga>(
    repository: SagaRepository<G>,
    query: SagaBatchQuery<G>,
    request: (instance: SagaInstance<G>) => BatchRequest | undefined,
    options?: BatchOptions,
  ): Batch {
    return this.fire(made(found(repository, query), request), options);
  }

  /** Does one request for each machine of the group that the query finds. What the function answers `undefined` for is passed over. */
  fireMachines(
    query: MachineBatchQuery,
    event: EventObject | ((machine: MachineRef) => EventObject | undefined),
    options?: BatchOptions,
  ): Batch {
    const eventOf = typeof event === 'function' ? event : () => event;
    const requests = made(machinesOf(this.orchestrator(), query), (machine) => {
      const event = eventOf(machine);
      return event && { machine, event };
    });
    return this.fire(requests, options);
  }

  private async perform(request: BatchRequest, correlationId: string, signal: AbortSignal): Promise<unknown> {
    if ('machine' in request) {
      const { machine, event, timeoutMs } = request;
      const ref = typeof machine === 'string' ? this.orchestrator().ref(machine) : machine;
      return ref.request(event, { signal, ...(timeoutMs !== undefined && { timeoutMs }) });
    }
    if ('ask' in request)
      return this.bus().request(request.ask, { ...request.options, correlationId, signal });
    return this.tell(request, correlationId, signal);
  }

  private async tell(
    request: PublishBatchRequest | SendBatchRequest,
    correlationId: string,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { until } = request;
    const options = { ...request.options, correlationId };
    const receipt: PublishReceipt =
      'publish' in request
        ? await this.bus().publish(request.publish, options)
        : await this.bus().send(request.send, options);
    if (until === undefined) return receipt;
    const { tenant } = options;
    return until.reached({ signal, ...(tenant !== undefined && { tenant }) });
  }

  private orchestrator(): Orchestrator {
    if (this.options.orchestrator === undefined) throw new BatchTargetError('orchestrator');
    return this.options.orchestrator;
  }

  private bus(): MessageBus {
    if (this.options.bus === undefined) throw new BatchTargetError('bus');
    return this.options.bus;
  }
}

function found<G extends AnySaga>(
  repository: SagaRepository<G>,
  { state, unchangedFor, ...read }: SagaBatchQuery<G>,
): AsyncIterable<SagaInstance<G>> {
  if (unchangedFor !== undefined) {
    const stale = repository.findStale(unchangedFor, read);
    return state === undefined ? stale : inState(stale, state);
  }
  if (state !== undefined) return repository.findByState(state, read);
  throw new BatchOptionError('query', "must have 'state', 'unchangedFor' or both", 'neither');
}

async function* inState<G extends AnySaga>(
  instances: AsyncIterable<SagaInstance<G>>,
  state: StateOf<G>,
): AsyncGenerator<SagaInstance<G>> {
  for await (const instance of instances) if (instance.state === state) yield instance;
}

/** Looked at when their turn comes: what left the state meanwhile is passed over. */
async function* machinesOf(
  orchestrator: Orchestrator,
  { machine, state }: MachineBatchQuery,
): AsyncGenerator<MachineRef> {
  for (const ref of orchestrator.machines()) {
    if (machine !== undefined && ref.machine.id !== machine.id) continue;
    if (state === undefined || matches(ref.snapshot(), state)) yield ref;
  }
}

async function* made<T>(
  things: AsyncIterable<T>,
  request: (thing: T) => BatchRequest | undefined,
): AsyncGenerator<BatchRequest> {
  for await (const thing of things) {
    const next = request(thing);
    if (next !== undefined) yield next;
  }
}
