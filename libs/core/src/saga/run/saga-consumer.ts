import type { Consumed, Consumer } from '../../bus/relay/consumer.js';
import { parseJson } from '../../message/json.js';
import type { ClaimedWork, DueTimer, KeyRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { keyOf } from './correlation.js';
import { isOfTheMessage, isPassing } from './delivery-error.js';
import type { FanOut } from './fan-out.js';
import { freezeMessage } from './freeze-message.js';
import type { SagaRunner } from './saga-runner.js';
import type { OutcomeWork } from '../activity/activity-work.js';
import type { SagaWork, Stimulus, TimerPayload } from './stimulus.js';

/** Brings a saga's outbox rows and timers to its runner. */
export class SagaConsumer implements Consumer {
  readonly pool = 'general';

  /** @param latest the highest version: it starts new instances and tells keys */
  constructor(
    private readonly latest: () => CompiledSaga,
    private readonly runner: SagaRunner,
    private readonly fanOut: FanOut,
  ) {}

  async consume(work: ClaimedWork): Promise<Consumed> {
    const saga = this.latest();
    const payload = parseJson(work.payload) as SagaWork;
    if (payload.kind === 'outcome') return this.runner.handle(saga, outcomeStimulus(work, payload));
    if (payload.kind === 'wake') {
      await this.runner.drain(saga, { tenant: payload.tenant, key: payload.key });
      return 'settled';
    }
    return this.message(saga, work, payload);
  }

  /** One firing of a timer. */
  fire(timer: DueTimer): Promise<Consumed> {
    return this.runner.handle(this.latest(), timerStimulus(timer));
  }

  /** What nothing more can be done for is poison: its instance is held with it. What is wrong by itself becomes a dead letter. */
  async giveUp(work: ClaimedWork, error: unknown): Promise<Consumed | 'bury'> {
    const saga = this.latest();
    const payload = parseJson(work.payload) as SagaWork;
    if (payload.kind === 'wake') {
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
    const key = await this.runner.primaryKey(saga, {
      tenant: envelope.tenant,
      key: keyOfWork(saga, payload),
    });
    const stimulus = messageStimulus(work, payload, key, envelope.body as object);
    return this.runner.hold(saga, stimulus, 'poison', error, work.attempts);
  }

  /** As {@link giveUp}, for a timer. */
  async giveUpTimer(timer: DueTimer, error: unknown): Promise<Consumed> {
    const held = await this.runner.hold(this.latest(), timerStimulus(timer), 'poison', error, timer.attempts);
    return held === 'bury' ? 'settled' : held;
  }

  /** Where the instance of a message stands, for whoever looks into its dead letter. */
  async describe(work: ClaimedWork): Promise<Readonly<Record<string, unknown>>> {
    const saga = this.latest();
    const payload = parseJson(work.payload) as SagaWork;
    const at =
      payload.kind === 'wake'
        ? payload
        : payload.kind === 'outcome'
          ? { tenant: work.tenant, key: payload.key }
          : { tenant: work.tenant, key: keyOfWork(saga, payload) };
    const instance = await this.runner.find(saga, at);
    const { name } = saga.definition;
    if (instance === null) return { saga: name, instance: null };
    const { id, state, status, version } = instance;
    return { saga: name, instance: { id, state, status, version } };
  }

  private async message(saga: CompiledSaga, work: ClaimedWork, payload: MessageRow): Promise<Consumed> {
    const { envelope } = payload;
    const key = keyOfWork(saga, payload);
    const isMany = saga.definition.keys.get(key.name) === 'many';
    if (isMany && (await this.fanOut.spread(saga, work, envelope, key)) > 0) return 'consumed';
    const primary = await this.runner.primaryKey(saga, { tenant: envelope.tenant, key });
    const message = freezeMessage(saga, envelope);
    return this.runner.handle(saga, messageStimulus(work, payload, primary, message));
  }
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

type MessageRow = Extract<SagaWork, { kind: 'message' }>;

function messageStimulus(
  { tenant, destination, id }: ClaimedWork,
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

/** The key that a message came by. */
function keyOfWork({ definition }: CompiledSaga, { envelope, to }: MessageRow): KeyRecord {
  return to ?? keyOf(definition, envelope.name, envelope.body as object);
}

function timerStimulus({ tenant, name, token, payload: text, dueAt }: DueTimer): Stimulus {
  const payload = parseJson(text) as TimerPayload;
  const cause = { kind: 'timer', name, token, payload, dueAt } as const;
  return { tenant, key: payload.key, messageId: `timer:${name}:${token}`, work: null, cause };
}
