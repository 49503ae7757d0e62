import type { Duration } from '../message/duration.js';
import { milliseconds } from '../message/duration.js';
import { hashedId } from '../message/hashed-id.js';
import { messageTypeOf } from '../message/message.js';
import type { SendOptions } from './send-options.js';
import { HandlerError } from './handler-errors.js';

/** A message that a handler wants sent, not yet checked or addressed. */
export interface Outgoing {
  readonly verb: 'send' | 'publish';
  readonly message: object;
  readonly delayMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** An undo step that a handler wants recorded. */
export interface RecordedUndo {
  readonly name: string;
  readonly input: unknown;
  /** Steps of one scope may be undone beside each other. */
  readonly scope?: string;
}

/**
 * What the handlers of one attempt have asked for, in order. Closed when a handler has settled: a verb called later would be lost,
 * so it throws instead.
 */
export class Recording {
  readonly outgoing: Outgoing[] = [];
  readonly undo: RecordedUndo[] = [];
  /** The answer to the message, if there is one. */
  answer: object | null = null;
  private open: string | null = null;
  private drawn = 0;

  /** @param seed fixes `uuid` and `random`: the same for every run of the same message on the same instance */
  constructor(private readonly seed: readonly string[]) {}

  begin(handler: string): void {
    this.open = handler;
  }

  end(): void {
    this.open = null;
  }

  add(verb: Outgoing['verb'], message: object, options: SendOptions = {}): void {
    this.assertOpen(verb);
    messageTypeOf(message);
    const delay: Duration | number = options.delay ?? 0;
    this.outgoing.push({ verb, message, delayMs: milliseconds(delay), headers: options.headers ?? {} });
  }

  reply(message: object): void {
    this.assertOpen('reply');
    const { messageName } = messageTypeOf(message);
    if (this.answer !== null) {
      throw new HandlerError(
        `reply() was called twice, now with '${messageName}'. A request has one reply: join both into one message.`,
      );
    }
    this.answer = message;
  }

  compensate(known: ReadonlyMap<string, unknown>, name: unknown, input: unknown, scope?: string): void {
    this.assertOpen('compensateWith');
    if (typeof name !== 'string') {
      throw new HandlerError(
        `compensateWith() takes the name of a compensation, found a ${typeof name}. A closure would be lost at a restart: ` +
          `declare the step in 'compensations' and implement it with @Compensation('name').`,
      );
    }
    if (!known.has(name)) {
      throw new HandlerError(
        `'${name}' is no compensation of this saga. Declared: ${[...known.keys()].join(', ') || 'none'}.`,
      );
    }
    this.undo.push({ name, input, ...(scope === undefined ? {} : { scope }) });
  }

  uuid(): string {
    this.assertOpen('uuid');
    return hashedId(...this.seed, 'uuid', String(this.drawn++));
  }

  random(): number {
    this.assertOpen('random');
    const id = hashedId(...this.seed, 'random', String(this.drawn++));
    return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) / 2 ** 48;
  }

  protected assertOpen(verb: string): void {
    if (this.open !== null) return;
    throw new HandlerError(
      `${verb}() was called after its handler had settled, so it would be lost. Await everything that the handler starts.`,
    );
  }
}
