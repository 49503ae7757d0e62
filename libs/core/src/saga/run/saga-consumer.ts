import type { Consumed, Consumer } from '../../bus/relay/consumer.js';
import type { Envelope } from '../../message/envelope.js';
import { parseJson } from '../../message/json.js';
import type { ClaimedWork, DueTimer, KeyRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { CorrelationError } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import { freezeMessage } from './freeze-message.js';
import type { SagaRunner } from './saga-runner.js';
import type { SagaWork, TimerPayload } from './stimulus.js';

const LONGEST_KEY = 512;

/** The key by which a message finds its instance. */
export function keyOf(definition: AnySaga, messageName: string, body: object): KeyRecord {
  const value = definition.events.get(messageName)?.keyOf(body);
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_KEY) {
    throw new CorrelationError(definition.name, messageName, value);
  }
  return { name: definition.correlateBy, value };
}

/** Brings a saga's outbox rows and timers to its runner. */
export class SagaConsumer implements Consumer {
  readonly pool = 'general';

  /** @param latest the highest version: it starts new instances and tells keys */
  constructor(
    private readonly latest: () => CompiledSaga,
    private readonly runner: SagaRunner,
  ) {}

  async consume(work: ClaimedWork): Promise<Consumed> {
    const saga = this.latest();
    const payload = parseJson(work.payload) as SagaWork;
    if (payload.kind === 'wake') {
      await this.runner.drain(saga, { tenant: payload.tenant, key: payload.key });
      return 'settled';
    }
    return this.message(saga, work, payload.envelope);
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

  private message(saga: CompiledSaga, work: ClaimedWork, envelope: Envelope): Promise<Consumed> {
    return this.runner.handle(saga, {
      tenant: envelope.tenant,
      key: keyOf(saga.definition, envelope.name, envelope.body as object),
      messageId: envelope.id,
      work: { tenant: work.tenant, destination: work.destination, id: work.id },
      cause: { kind: 'message', envelope, message: freezeMessage(saga, envelope), delivery: false },
    });
  }
}
