import type { EventObject } from '../types.js';
import { copyOf, type Variables } from './data-model.js';
import type { ScxmlSource } from './source.js';

/** What the engine lends to `enqueueActions`. */
export interface EnqueueArgs {
  readonly context: Variables;
  readonly event: EventObject;
  readonly enqueue: {
    assign(assignment: () => object): void;
    raise(event: EventObject, options?: { id?: string; delay?: number }): void;
    sendTo(to: string, event: EventObject, options?: { id?: string; delay?: number }): void;
    cancel(id: string): void;
    log(value: unknown, label?: string): void;
  };
  check(guard: unknown): boolean;
}

/** An event of the platform: an error, or a completion. */
export function platformEvent(type: string, fields: Variables = {}): EventObject {
  return { ...fields, type, kind: 'platform' };
}

/** Where a message could not go, as against an expression that could not be evaluated. */
export class CommunicationFailure extends Error {}

/** A failure that belongs to a message with an id. */
export class SendFailure extends Error {
  constructor(
    readonly sendid: string,
    readonly failure: unknown,
  ) {
    super('send failed');
  }
}

/** One block of executable content being run: on a draft of the variables, which is adopted when the block is over. */
export class Execution {
  private draft: Variables | undefined;

  constructor(
    private readonly source: ScxmlSource,
    readonly args: EnqueueArgs,
  ) {}

  get event(): EventObject {
    return this.args.event;
  }

  get variables(): Variables {
    return this.draft ?? this.args.context;
  }

  /** The value of XML that stands in the document. */
  fromXml(text: string): unknown {
    return this.source.dataModel.fromXml?.(text) ?? text;
  }

  /** Can a message go there? */
  reaches(target: string): boolean {
    return this.source.reaches(target);
  }

  evaluate(expression: string): unknown {
    return this.source.dataModel.evaluate(expression, this.writable(), this.system());
  }

  execute(statements: string, extra: Variables = {}): void {
    this.source.dataModel.execute(statements, this.writable(), { ...this.system(), ...extra });
  }

  set(name: string, value: unknown): void {
    this.writable()[name] = value;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.variables, name);
  }

  /** Ids that the platform makes up count up, so that a run can be repeated. */
  nextId(prefix: string): string {
    const count = Number(this.variables['_count'] ?? 0) + 1;
    this.set('_count', count);
    return `${prefix}.${count}`;
  }

  /** Ends the block with the event that says what went wrong. */
  fail(error: unknown): void {
    const failure = error instanceof SendFailure ? error.failure : error;
    const type = failure instanceof CommunicationFailure ? 'error.communication' : 'error.execution';
    const sendid = error instanceof SendFailure ? { sendid: error.sendid } : {};
    const message =
      failure instanceof Error ? failure.message : String((failure as { message?: unknown } | null)?.message);
    this.args.enqueue.raise(platformEvent(type, { ...sendid, data: message }));
  }

  adopt(): void {
    const { draft } = this;
    if (draft !== undefined) this.args.enqueue.assign(() => draft);
  }

  private writable(): Variables {
    return (this.draft ??= copyOf(this.args.context));
  }

  private system(): Variables {
    const In = (id: string): boolean => this.args.check({ type: 'xstate.stateIn', stateValue: `#${id}` });
    return systemVariables(this.event, In);
  }
}

const seen = new WeakMap<EventObject, unknown>();

/** `_event` and `In`; before the first event `_event` is undefined. */
export function systemVariables(event: EventObject, In: (id: string) => boolean): Variables {
  if (event.type === 'xstate.init') return { In, _event: undefined };
  let _event = seen.get(event);
  if (_event === undefined) seen.set(event, (_event = Object.freeze(eventVariable(event))));
  return { In, _event };
}

function eventVariable(event: EventObject): Variables {
  const { type, output, data = output, sendid, origin, origintype, invokeid } = event;
  const kind = event['kind'] ?? (type.startsWith('done.state.') ? 'platform' : 'external');
  return { name: type, type: kind, sendid, origin, origintype, invokeid, data };
}
