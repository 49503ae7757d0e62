import { OrchestratorError } from '../errors/orchestrator-error.js';
import { MESSAGE } from './json.js';
import { issuePath, type OutputOf, type Schema, type SchemaIssue } from './standard-schema.js';

/** Phantom: keeps message types of equal shape apart. Never set at run time. */
export declare const BRAND: unique symbol;

/**
 * A kind of message: a class whose instances are bodies. Made by {@link message}.
 *
 * @typeParam N the literal wire name
 * @typeParam B the body's type
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the default must accept every body in both directions
export interface MessageType<N extends string = string, B extends object = any> {
  new (body: B): B & { readonly [BRAND]?: N };
  /** The wire name, and the machine's event type. */
  readonly messageName: N;
  readonly version: number;
  readonly schema: Schema<B>;
}

/** A body that its schema refuses. */
export class MessageValidationError extends OrchestratorError {
  readonly code = 'MESSAGE_INVALID';
  constructor(
    readonly messageName: string,
    /** Path and complaint of each fault. */
    readonly issues: readonly { readonly path: string; readonly message: string }[],
  ) {
    const list = issues.map((i) => `${i.path === '' ? 'body' : i.path}: ${i.message}`).join('; ');
    super(`The body of message '${messageName}' does not fit its schema: ${list}.`);
  }
}

/** Something was sent that is not an instance of a class made by `message()`. */
export class NotAMessageError extends OrchestratorError {
  readonly code = 'NOT_A_MESSAGE';
  constructor(found: unknown) {
    super(
      `Expected an instance of a class made by message('name', schema), found ${describe(found)}. ` +
        `Declare it: class OrderPlaced extends message('order.placed', schema) {}, then send new OrderPlaced({ … }).`,
    );
  }
}

/**
 * Declares a message. Extend the result, so that the name can be used as a type:
 * `class OrderCreated extends message('order.created', z.object({ orderId: z.string() })) {}`.
 *
 * @param name the wire name, unique in the application: lower-case words joined by dots by convention
 * @param schema any Standard Schema; bodies are checked where they enter
 * @param options `version` of the body's shape, default 1
 */
export function message<const N extends string, S extends Schema<object>>(
  name: N,
  schema: S,
  options: { readonly version?: number } = {},
): MessageType<N, OutputOf<S> & object> {
  assertMessageName(name);
  class Message {
    static readonly messageName = name;
    static readonly schema = schema;
    static readonly version = options.version ?? 1;

    constructor(body: object) {
      for (const [key, value] of Object.entries(body)) {
        if (key !== '__proto__') (this as Record<string, unknown>)[key] = value;
      }
    }
  }
  Object.defineProperty(Message.prototype, MESSAGE, { get: (): unknown => Message });
  return Message as never;
}

/** The type of a message instance. */
export function messageTypeOf(instance: unknown): MessageType {
  if (typeof instance === 'object' && instance !== null && MESSAGE in instance) {
    return (instance as { [MESSAGE]: MessageType })[MESSAGE];
  }
  throw new NotAMessageError(instance);
}

/** Whether something is a class made by {@link message}. */
export function isMessageType(found: unknown): found is MessageType {
  return typeof found === 'function' && 'messageName' in found && typeof found.messageName === 'string';
}

/** Checks a body against its type's schema and makes an instance of it. */
export async function parseMessage<M extends MessageType>(type: M, body: unknown): Promise<InstanceType<M>> {
  const result = await type.schema['~standard'].validate(body);
  if (result.issues !== undefined) throw invalid(type.messageName, result.issues);
  return new type(result.value) as InstanceType<M>;
}

/** Checks an instance's own body; used where messages leave towards the outbox. */
export async function checkMessage(instance: object): Promise<MessageType> {
  const type = messageTypeOf(instance);
  const pending = type.schema['~standard'].validate({ ...instance });
  const result = pending instanceof Promise ? await pending : pending;
  if (result.issues !== undefined) throw invalid(type.messageName, result.issues);
  return type;
}

function invalid(name: string, issues: readonly SchemaIssue[]): MessageValidationError {
  return new MessageValidationError(
    name,
    issues.map((issue) => ({ path: issuePath(issue), message: issue.message })),
  );
}

function assertMessageName(name: string): void {
  if (name === '' || name.length > 200 || /[\s*#$]/.test(name)) {
    throw new TypeError(
      `message(): the name '${name}' must have 1 to 200 characters, without blanks, '*', '#' or '$'. Example: 'order.created'.`,
    );
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return `a ${typeof value}`;
  return `an object of class ${value.constructor?.name ?? 'unknown'}`;
}
