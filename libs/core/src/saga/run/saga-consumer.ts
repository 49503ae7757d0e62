import type { Consumed, Consumer } from '../../bus/relay/consumer.js';
import type { Envelope } from '../../message/envelope.js';
import { parseJson } from '../../message/json.js';
import type { ClaimedWork, DueTimer, KeyRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { keyOf } from './correlation.js';
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
    return this.message(saga, work, payload.envelope, payload.to);
  }

  /** One firing of a timer. */
  fire(timer: DueTimer): Promise<Consumed> {
    const payload = parseJson(timer.payload) as TimerPayload;
    return this.runner.handle(this.latest(), {
      tenant: timer.tenant,
      key: payload.key,
      messageId: `timer:${timer.name}:${timer.token}`,
      work: null,
      cause: { kind: 'timer', name: timer.name, token: timer.token, payload, dueAt: timer.dueAt },
    });
  }

  private async message(
    saga: CompiledSaga,
    work: ClaimedWork,
    envelope: Envelope,
    to: KeyRecord | undefined,
  ): Promise<Consumed> {
    const { definition } = saga;
    const key = to ?? keyOf(definition, envelope.name, envelope.body as object);
    const spread =
      definition.keys.get(key.name) === 'many' && (await this.fanOut.spread(saga, work, envelope, key)) > 0;
    if (spread) return 'consumed';
    return this.runner.handle(saga, {
      tenant: envelope.tenant,
      key: await this.runner.primaryKey(saga, { tenant: envelope.tenant, key }),
      messageId: envelope.id,
      work: { tenant: work.tenant, destination: work.destination, id: work.id },
      cause: { kind: 'message', envelope, message: freezeMessage(saga, envelope), delivery: false },
    });
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
