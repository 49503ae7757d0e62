import type { Attempt } from '../../bus/at-once.js';
import type { Consumed, Consumer } from '../../bus/relay/consumer.js';
import type { Envelope } from '../../message/envelope.js';
import { parseJson } from '../../message/json.js';
import { checkMessage } from '../../message/message.js';
import type { Clock } from '../../ports/clock.js';
import type { Consumption, InstanceStore } from '../../ports/instance-store.js';
import type { ClaimedWork, DueTimer, KeyRecord, WorkKey, WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { SagaDelayedError } from '../saga-errors.js';
import type { SagaGate } from '../saga-gate.js';
import type { ComeBacks } from './come-backs.js';
import { readRow, readRowOrNot } from '../../handling/unreadable-row.js';
import { keyOf } from './correlation.js';
import { isOfTheMessage, isPassing } from './delivery-error.js';
import type { FanOut } from './fan-out.js';
import { freezeMessage } from './freeze-message.js';
import { orOtherBuilds, type Waited } from './other-build.js';
import { Releases } from './release.js';
import type { SagaObserver } from './saga-observer.js';
import type { SagaRunner } from './saga-runner.js';
import type { OutcomeWork } from '../activity/activity-work.js';
import type { SagaWork, Stimulus, TimerPayload } from './stimulus.js';
import { payloadByName, readTimerPayload, UnreadableTimerError } from './timer-payload.js';

/** What a consumer needs of its node. */
export interface SagaConsumerPorts {
  readonly store: Pick<InstanceStore, 'keys'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly comeBacks: ComeBacks;
  readonly observer: Pick<SagaObserver, 'throttled'>;
}

/** Brings a saga's outbox rows and timers to its runner. */
export class SagaConsumer implements Consumer {
  readonly pool = 'general';
  private readonly releases: Releases;

  /** @param latest the highest version: it starts new instances and tells keys */
  constructor(
    private readonly latest: () => CompiledSaga,
    private readonly runner: SagaRunner,
    private readonly fanOut: FanOut,
    private readonly ports: SagaConsumerPorts,
  ) {
    this.releases = new Releases(runner, ports.clock);
  }

  async consume(work: ClaimedWork, fresh: boolean): Promise<Consumed> {
    const saga = this.latest();
    const payload = readRow<SagaWork>(work, isSagaWork);
    if (payload.kind === 'outcome') return this.runner.handle(saga, outcomeStimulus(work, payload));
    if (payload.kind === 'wake') {
      const at = { tenant: payload.tenant, key: payload.key };
      if (payload.held !== undefined) {
        const { tenant, destination, id } = work;
        const stimulus = { ...at, messageId: id, work: { tenant, destination, id } };
        return this.releases.release(saga, stimulus, payload.held.since);
      }
      await this.runner.drain(saga, at);
      return 'settled';
    }
    return this.message(saga, work, payload, fresh);
  }

  /** Handles the answer of a consumer along with what it answers; `false`: nothing has happened, it has to become a row. */
  async carry(answer: WorkRecord, answers: Consumption): Promise<boolean> {
    const saga = this.latest();
    const stimulus = rowlessStimulus(saga, answer, answers);
    return stimulus === undefined ? false : this.runner.carry(saga, stimulus);
  }

  /** Begins to handle a message that is no row yet; `undefined`: it has to become one. */
  atOnce(row: WorkRecord, decided: () => void): Attempt | undefined {
    const saga = this.latest();
    const stimulus = rowlessStimulus(saga, row, undefined);
    return stimulus === undefined ? undefined : this.runner.atOnce(saga, stimulus, decided);
  }

  /** One firing of a timer. @throws UnreadableTimerError */
  async fire(timer: DueTimer): Promise<Consumed> {
    return this.runner.handle(this.latest(), timerStimulus(timer, readTimerPayload(timer)));
  }

  /** What nothing more can be done for is poison: its instance is held with it. What is wrong by itself becomes a dead letter. */
  async giveUp(work: ClaimedWork, error: unknown): Promise<Consumed | 'bury'> {
    const saga = this.latest();
    const payload = readRowOrNot<SagaWork>(work, isSagaWork);
    if (payload === undefined) return 'bury';
    if (payload.kind === 'wake') {
      if (payload.held !== undefined) return 'bury';
      await this.runner.holdDelivery(
        saga,
        { tenant: payload.tenant, key: payload.key },
        error,
        work.attempts,
      );
      return 'settled';
    }
    if (payload.kind === 'outcome' || isOfTheMessage(error) || isPassing(error)) return 'bury';
    const { envelope } = payload;
    const came = keyOrNot(saga, payload);
    if (came === undefined) return 'bury';
    const key = isPrimary(saga, came)
      ? came
      : await this.runner.primaryKey(saga, { tenant: envelope.tenant, key: came });
    const stimulus = messageStimulus(work, payload, key, envelope.body as object);
    return this.runner.hold(saga, stimulus, 'poison', error, work.attempts);
  }

  /** As {@link giveUp}, for a timer. */
  async giveUpTimer(timer: DueTimer, error: unknown): Promise<Consumed> {
    const saga = this.latest();
    const payload = await this.payloadOf(saga, timer);
    // Its instance is gone, or others have its key: then it has no timers either.
    if (payload === undefined) return 'settled';
    const stimulus = timerStimulus(timer, payload);
    const held = await this.runner.hold(saga, stimulus, 'poison', error, timer.attempts);
    return held === 'bury' ? 'settled' : held;
  }

  /** What a timer says; if that can't be read, what it must have said. */
  private async payloadOf(saga: CompiledSaga, timer: DueTimer): Promise<TimerPayload | undefined> {
    try {
      return readTimerPayload(timer);
    } catch (error) {
      if (!(error instanceof UnreadableTimerError)) throw error;
      const { tenant, id } = timer;
      const keys = await this.ports.store.keys({ tenant, saga: timer.saga, id });
      const key = keys.find(({ name }) => name === saga.definition.correlateBy);
      return key && payloadByName(timer, key);
    }
  }

  /** Where the instance of a message stands, for whoever looks into its dead letter. */
  async describe(work: ClaimedWork): Promise<Readonly<Record<string, unknown>>> {
    const saga = this.latest();
    const { name } = saga.definition;
    const payload = readRowOrNot<SagaWork>(work, isSagaWork);
    if (payload === undefined) return { saga: name, instance: null };
    const key = payload.kind === 'message' ? keyOrNot(saga, payload) : payload.key;
    const tenant = payload.kind === 'wake' ? payload.tenant : work.tenant;
    const instance = key === undefined ? null : await this.runner.find(saga, { tenant, key });
    if (instance === null) return { saga: name, instance: null };
    const { id, state, status, version } = instance;
    return { saga: name, instance: { id, state, status, version } };
  }

  private async message(
    saga: CompiledSaga,
    work: ClaimedWork,
    payload: MessageRow,
    fresh: boolean,
  ): Promise<Consumed> {
    const { envelope } = payload;
    const failed = (error: unknown): unknown =>
      orOtherBuilds(saga.definition, envelope, waitedOf(work, envelope, this.ports.clock), error);
    const { key, message } = readMessage(saga, payload, failed);
    const isMany = saga.definition.keys.get(key.name) === 'many';
    if (isMany && (await this.fanOut.spread(saga, work, envelope, key)) > 0) return 'consumed';
    // Without a look-up, a fresh message is in its mailbox before anybody else has a turn: what is published after it stays behind it.
    const primary = isPrimary(saga, key)
      ? key
      : await this.runner.primaryKey(saga, { tenant: envelope.tenant, key });
    // Another build may have written it, with another schema.
    if (!fresh || payload.replay === true) {
      await checkMessage(message).catch((error: unknown) => {
        throw failed(error);
      });
    }
    const stimulus = messageStimulus(work, payload, primary, message);
    const { gate } = saga.behaviour;
    if (gate === undefined) return this.runner.handle(saga, stimulus);
    return this.throughGate(saga, gate, stimulus, { envelope, message });
  }

  private async throughGate(
    saga: CompiledSaga,
    gate: SagaGate,
    stimulus: Stimulus,
    { envelope, message }: Letter,
  ): Promise<Consumed> {
    const { comeBacks, observer } = this.ports;
    const { tenant, name: trigger } = envelope;
    const arrival = { saga: saga.definition.name, tenant, instance: stimulus.key.value, trigger, message };
    const passed = await gate.pass(arrival, () => {
      comeBacks.arrived(envelope.id);
      return this.runner.handle(saga, stimulus);
    });
    if (passed.let === 'in') return passed.result;
    const { rejection } = passed;
    observer.throttled(saga, stimulus, rejection);
    if (rejection.told === undefined) {
      const pause = comeBacks.pause(envelope.id, rejection);
      throw new SagaDelayedError(saga.definition.name, trigger, pause, rejection.error);
    }
    comeBacks.arrived(envelope.id);
    return this.runner.handle(saga, await toldStimulus(saga, stimulus, envelope, rejection.told));
  }
}

/** The key that a message came by, and what its saga takes. @throws what `failed` makes of an error */
function readMessage(
  saga: CompiledSaga,
  payload: MessageRow,
  failed: (error: unknown) => unknown,
): { readonly key: KeyRecord; readonly message: object } {
  try {
    return { key: keyOfWork(saga, payload), message: freezeMessage(saga, payload.envelope) };
  } catch (error) {
    throw failed(error);
  }
}

function waitedOf({ delayMs }: ClaimedWork, { sentAt }: Envelope, clock: Pick<Clock, 'now'>): Waited {
  return { since: sentAt + delayMs, now: clock.now() };
}

/** A message as it travelled, and as its saga takes it. */
interface Letter {
  readonly envelope: Envelope;
  readonly message: object;
}

/** What an instance is told in place of a message, under the id of that: a repeat of either finds that it was handled, and whoever asked is answered. */
async function toldStimulus(
  saga: CompiledSaga,
  stimulus: Stimulus,
  instead: Envelope,
  told: object,
): Promise<Stimulus> {
  const { messageName: name, version } = await checkMessage(told);
  const envelope = { ...instead, name, version, body: { ...told } };
  const message = freezeMessage(saga, envelope);
  return { ...stimulus, cause: { kind: 'message', envelope, message, delivery: false } };
}

/** The outcome of an activity as its saga takes it. */
function outcomeStimulus(work: ClaimedWork, { key, ...outcome }: OutcomeWork): Stimulus {
  const { tenant, destination, id } = work;
  return {
    tenant,
    key,
    messageId: id,
    work: { tenant, destination, id },
    cause: { ...outcome, kind: 'activity' },
  };
}

/** Whether a row says what is needed to handle it. */
function isSagaWork(payload: {
  readonly kind?: unknown;
  readonly key?: unknown;
  readonly envelope?: unknown;
}): boolean {
  if (payload.kind !== 'message') return isObject(payload.key);
  const { envelope } = payload;
  return isObject(envelope) && isObject((envelope as Partial<Envelope>).body);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

type MessageRow = Extract<SagaWork, { kind: 'message' }>;

function messageStimulus(
  { tenant, destination, id }: WorkKey,
  { envelope, replay = false }: MessageRow,
  key: KeyRecord,
  message: object,
): Stimulus {
  return {
    tenant: envelope.tenant,
    key,
    messageId: envelope.id,
    work: { tenant, destination, id },
    cause: { kind: 'message', envelope, message, delivery: false, replay },
  };
}

/** A message that is no row as its saga takes it; `undefined`: it has to become one. */
function rowlessStimulus(
  saga: CompiledSaga,
  row: WorkRecord,
  answers: Consumption | undefined,
): Stimulus | undefined {
  const payload = parseJson(row.payload) as SagaWork;
  // A message that is not let in comes again, and for that it has to be a row.
  if (payload.kind !== 'message' || saga.behaviour.gate !== undefined) return undefined;
  const key = keyOfWork(saga, payload);
  // Another key has to be looked up first, and may lead to several instances.
  if (!isPrimary(saga, key)) return undefined;
  const { envelope } = payload;
  const message = freezeMessage(saga, envelope);
  const cause = { kind: 'message', envelope, message, delivery: false, replay: false } as const;
  const { tenant, id: messageId } = envelope;
  return { tenant, key, messageId, work: null, cause, ...(answers === undefined ? {} : { answers }) };
}

function isPrimary({ definition }: CompiledSaga, key: KeyRecord): boolean {
  return key.name === definition.correlateBy;
}

/** The key that a message came by. */
function keyOfWork({ definition }: CompiledSaga, { envelope, to }: MessageRow): KeyRecord {
  return to ?? keyOf(definition, envelope.name, envelope.body as object);
}

/** As {@link keyOfWork}; `undefined`: this build can't tell it. */
function keyOrNot(saga: CompiledSaga, payload: MessageRow): KeyRecord | undefined {
  try {
    return keyOfWork(saga, payload);
  } catch (error) {
    if (isOfTheMessage(error)) return undefined;
    throw error;
  }
}

function timerStimulus({ tenant, name, token, dueAt }: DueTimer, payload: TimerPayload): Stimulus {
  const cause = { kind: 'timer', name, token, payload, dueAt } as const;
  return { tenant, key: payload.key, messageId: `timer:${name}:${token}`, work: null, cause };
}
