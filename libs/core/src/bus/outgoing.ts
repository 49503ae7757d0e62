import { checkMessage, messageTypeOf, type MessageType } from '../message/message.js';
import { toJson } from '../message/json.js';
import { hashedId } from '../message/hashed-id.js';
import type { Envelope } from '../message/envelope.js';
import type { WorkRecord } from '../ports/records.js';
import type { Outgoing } from '../handling/recording.js';
import { remoteRouteOf } from './routes.js';
import type { ReplyAddressing } from './request/reply-work.js';
import { RemoteRequestError } from './request/request-errors.js';
import type { Routes } from './routes.js';

/** Payload of a work row that carries a message. */
export interface MessageWork {
  readonly kind: 'message';
  readonly envelope: Envelope;
}

/** Whether a row's payload is one that carries a message. */
export function isMessage({ envelope }: Partial<MessageWork>): boolean {
  return typeof envelope === 'object' && typeof envelope?.body === 'object' && envelope.body !== null;
}

/** Whether a message is a command or an event. */
export type Verb = Outgoing['verb'];

/** Where outgoing messages come from. */
export interface Origin {
  readonly tenant: string;
  readonly correlationId: string;
  /** Id of the message whose handling sends them. */
  readonly causationId: string;
  /** Names the sender in ids of effects: the instance's id, or the handler's name. */
  readonly sender: string;
  /** Keeps first deliveries of one sender to one destination in order; `null`: no order. */
  readonly lane: string | null;
}

/** A message whose schema and keys were checked, without its class. */
export type MessageBody = Pick<Envelope, 'name' | 'version' | 'body'>;

/** Under which id, for whom and when a message travels. */
export type Address = Omit<Origin, 'sender' | 'causationId'> & {
  readonly id: string;
  readonly causationId: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly delayMs: number;
  /** Given for requests. */
  readonly asker?: Pick<Envelope, 'replyTo' | 'replyBy'>;
};

/** Addresses messages: checks bodies, gives ids, finds destinations. */
export class Addressing {
  constructor(
    private readonly routes: Routes,
    private readonly now: () => number,
    private readonly maxPayload: number,
    /** Throws if a saga that answers the message can't tell its instance. */
    private readonly checkKeys: (type: MessageType, body: object) => void,
    readonly replies: ReplyAddressing,
  ) {}

  /** The work that the recorded verbs of one handled message come to. */
  async effects(outgoing: readonly Outgoing[], origin: Origin): Promise<WorkRecord[]> {
    const work: WorkRecord[] = [];
    if (outgoing.length === 0) return work;
    const ordinals = new Map<string, number>();
    for (const { verb, message, delayMs, headers } of outgoing) {
      const { messageName } = messageTypeOf(message);
      const ordinal = ordinals.get(messageName) ?? 0;
      ordinals.set(messageName, ordinal + 1);
      const id = hashedId(origin.sender, origin.causationId, messageName, String(ordinal));
      const { tenant, correlationId, causationId, lane } = origin;
      const address = { id, tenant, correlationId, causationId, lane, headers, delayMs };
      for (const row of await this.address(verb, message, address)) work.push(row);
    }
    return work;
  }

  /** The work that one message comes to: a row for each destination. */
  async address(verb: Outgoing['verb'], message: object, addressing: Address): Promise<WorkRecord[]> {
    return this.rows(verb, await this.checked(message), addressing);
  }

  /**
   * A message as it can be stored and addressed later.
   *
   * @throws NoRouteError for a command without exactly one handler; and as the verbs
   */
  async check(verb: Outgoing['verb'], message: object): Promise<MessageBody> {
    const body = await this.checked(message);
    if (verb === 'send') this.routes.handler(body.name);
    toJson(body.body, `message '${body.name}'`, this.maxPayload);
    return body;
  }

  /**
   * @throws RemoteRequestError for a command whose reply would not find its way back; NoRouteError, NotAMessageError
   */
  mustReply(command: object): void {
    const { messageName } = messageTypeOf(command);
    const route = remoteRouteOf(this.routes.handler(messageName));
    if (route !== undefined) throw new RemoteRequestError(messageName, route);
  }

  /** The work that a checked message comes to. */
  rows(verb: Outgoing['verb'], { name, version, body }: MessageBody, addressing: Address): WorkRecord[] {
    const { id, tenant, correlationId, causationId, headers, delayMs, lane } = addressing;
    const destinations = verb === 'send' ? [this.routes.handler(name)] : this.routes.subscribers(name);
    const envelope: Envelope = {
      id,
      name,
      version,
      tenant,
      correlationId,
      causationId,
      sentAt: this.now(),
      ...addressing.asker,
      headers,
      body,
    };
    const work: MessageWork = { kind: 'message', envelope };
    const payload = toJson(work, `message '${name}'`, this.maxPayload);
    // A delayed row must not hold its lane.
    const order = delayMs > 0 ? null : lane;
    return destinations.map((destination) => ({ tenant, destination, id, lane: order, payload, delayMs }));
  }

  private async checked(message: object): Promise<MessageBody> {
    const type = await checkMessage(message);
    this.checkKeys(type, message);
    return { name: type.messageName, version: type.version, body: { ...message } };
  }
}
