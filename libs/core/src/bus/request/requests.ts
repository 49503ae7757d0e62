import { milliseconds, type Duration } from '../../message/duration.js';
import { parseJson } from '../../message/json.js';
import { messageTypeOf, parseMessage, type MessageType } from '../../message/message.js';
import type { Clock } from '../../ports/clock.js';
import type { ClaimedWork } from '../../ports/records.js';
import type { Consumed, Consumer } from '../relay/consumer.js';
import {
  NoReplyError,
  RequestAbortedError,
  RequestFailedError,
  ReplyTimeoutError,
  UnexpectedReplyError,
} from './request-errors.js';
import type { Reply } from './reply-work.js';

/** How long a reply is waited for at most, in milliseconds: an hour. What takes longer is a saga's work. */
export const LONGEST_REQUEST_MS = 3_600_000;

/** A question as its asker put it. */
export interface Question<R extends MessageType> {
  readonly tenant: string;
  readonly id: string;
  readonly message: object;
  readonly reply: R | readonly R[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What `timeout` means; throws for what no request may have. */
export function requestTimeout(timeout: Duration | number): number {
  const timeoutMs = milliseconds(timeout);
  if (timeoutMs > 0 && timeoutMs <= LONGEST_REQUEST_MS) return timeoutMs;
  throw new TypeError(
    `A request's time-out must be between 1 ms and ${LONGEST_REQUEST_MS} ms, found ${timeoutMs}. ` +
      `For what takes longer, send a command and wait for the saga (repository.waitUntil).`,
  );
}

/** The requests of this node that wait for a reply; consumes the replies that come. */
export class Requests implements Consumer {
  readonly pool = 'general';
  private readonly waiting = new Map<string, Set<Waiter>>();
  /** Replies that were read and whose rows are still there. */
  private readonly leaving = new Map<string, Leaving>();
  private stopped = false;

  constructor(private readonly clock: Clock) {}

  /** Sends the request by `write`, then waits for the reply. */
  async ask<R extends MessageType>(
    question: Question<R>,
    write: () => Promise<unknown>,
  ): Promise<InstanceType<R>> {
    const { messageName } = messageTypeOf(question.message);
    const { id, tenant, timeoutMs, signal } = question;
    if (this.stopped) throw new RequestAbortedError(messageName, id, 'this node is stopping');
    if (signal?.aborted === true)
      throw new RequestAbortedError(messageName, id, 'its signal was aborted', signal.reason);
    const { waiter, answered } = waiterFor(messageName, id);
    const abort = (): void => waiter.abort('its signal was aborted', signal?.reason);
    const timer = this.clock.schedule(timeoutMs, () =>
      waiter.answer(new ReplyTimeoutError(messageName, id, timeoutMs)),
    );
    const name = nameOf(tenant, id);
    this.add(name, waiter);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const leaving = this.leaving.get(name);
      const early = leaving && (await Promise.race([leaving.gone, answered]));
      if (early) return await read(question, early);
      await write();
      return await read(question, await answered);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
      this.remove(name, waiter);
    }
  }

  /** A reply that nobody waits for any more can go. */
  async consume({ tenant, id, payload }: ClaimedWork): Promise<Consumed> {
    const reply = parseJson(payload) as Reply;
    const name = nameOf(tenant, id);
    if (!this.leaving.has(name)) this.leaving.set(name, leavingRow());
    for (const waiter of this.waiting.get(name) ?? []) waiter.answer(reply);
    return 'settled';
  }

  /** Whoever asks the same again has waited for this: beside the row of a reply, no other one for its question is written. */
  gone({ tenant, id }: ClaimedWork): void {
    const name = nameOf(tenant, id);
    this.leaving.get(name)?.end();
    this.leaving.delete(name);
  }

  /** Nobody reads it again. */
  async giveUp(work: ClaimedWork): Promise<'bury'> {
    this.gone(work);
    return 'bury';
  }

  /** This node pulls no replies any more. */
  stop(): void {
    this.stopped = true;
    for (const waiters of this.waiting.values())
      for (const waiter of waiters) waiter.abort('the node that asked is stopping');
  }

  private add(name: string, waiter: Waiter): void {
    this.waiting.set(name, (this.waiting.get(name) ?? new Set()).add(waiter));
  }

  private remove(name: string, waiter: Waiter): void {
    const waiters = this.waiting.get(name);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.waiting.delete(name);
  }
}

/** A row that is on its way out. */
interface Leaving {
  readonly gone: Promise<void>;
  readonly end: () => void;
}

function leavingRow(): Leaving {
  let end: Leaving['end'] = () => {};
  const gone = new Promise<void>((resolve) => (end = resolve));
  return { gone, end };
}

/** Somebody who waits for a reply. */
interface Waiter {
  readonly answer: (reply: Reply | Error) => void;
  readonly abort: (why: string, cause?: unknown) => void;
}

/** Settles with the first answer; never rejects, so that an answer before anybody looks is no unhandled rejection. */
function waiterFor(
  messageName: string,
  id: string,
): { readonly waiter: Waiter; readonly answered: Promise<Reply | Error> } {
  let answer: Waiter['answer'] = () => {};
  const answered = new Promise<Reply | Error>((resolve) => (answer = resolve));
  const abort: Waiter['abort'] = (why, cause) => answer(new RequestAbortedError(messageName, id, why, cause));
  return { waiter: { answer, abort }, answered };
}

async function read<R extends MessageType>(
  { id, message, reply: expected }: Question<R>,
  reply: Reply | Error,
): Promise<InstanceType<R>> {
  if (reply instanceof Error) throw reply;
  const { messageName } = messageTypeOf(message);
  if (reply.kind === 'none') throw new NoReplyError(messageName, id, reply.outcome);
  if (reply.kind === 'failed') throw new RequestFailedError(messageName, id, reply.reason);
  const types: readonly R[] = typeof expected === 'function' ? [expected] : expected;
  const type = types.find((each) => each.messageName === reply.name);
  if (type === undefined) {
    const names = types.map((each) => `'${each.messageName}'`);
    throw new UnexpectedReplyError(messageName, reply.name, names);
  }
  return parseMessage(type, reply.body);
}

function nameOf(tenant: string, id: string): string {
  return `${tenant}\n${id}`;
}
