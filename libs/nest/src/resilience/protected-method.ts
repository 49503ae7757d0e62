import 'reflect-metadata';
import type { Invocation, PolicyLayer } from './policy-layers.js';

const PROTECTED = Symbol.for('@nestjs-orchestrator/nest:protected-method');

type Method = (...args: unknown[]) => unknown;
type Methods = Record<string | symbol, Method | undefined>;

/** A method of one instance, and what its calls pass. */
export interface Protection {
  readonly instance: object;
  readonly key: string | symbol;
  /** The outermost first. */
  readonly layers: readonly PolicyLayer[];
  /** Position of the argument that is the call's signal. */
  readonly signalAt: number | undefined;
}

/**
 * Puts a method that passes the layers onto the instance, and leaves the prototype as it is: another application in this process has
 * instances of its own.
 *
 * @returns takes it off again
 */
export function protect(protection: Protection): () => void {
  const { instance, key } = protection;
  const before = Object.getOwnPropertyDescriptor(instance, key);
  const value = protectedMethod(protection, (instance as Methods)[key] as Method);
  Object.defineProperty(instance, key, { value, writable: true, configurable: true, enumerable: false });
  return () => {
    if ((instance as Methods)[key] !== value) return;
    if (before === undefined) delete (instance as Methods)[key];
    else Object.defineProperty(instance, key, before);
  };
}

/** Whether a method was protected already, by another application that was given the same instance. */
export function isProtected(instance: object, key: string | symbol): boolean {
  const method = (instance as Methods)[key];
  return typeof method === 'function' && PROTECTED in method;
}

function protectedMethod({ layers, signalAt }: Protection, original: Method): Method {
  const inward = layers.toReversed();
  function method(this: object, ...args: unknown[]): Promise<unknown> {
    const invocation: Invocation = { instance: this, args };
    let call: (signal: AbortSignal | undefined) => Promise<unknown> = async (signal) =>
      original.apply(this, signalAt === undefined ? args : withSignal(args, signalAt, signal));
    for (const layer of inward) {
      const next = call;
      call = (signal) => layer(invocation, next, signal);
    }
    return call(signalAt === undefined ? undefined : givenSignal(args[signalAt]));
  }
  Object.defineProperty(method, 'name', { value: original.name, configurable: true });
  Object.defineProperty(method, 'length', { value: original.length, configurable: true });
  Object.defineProperty(method, PROTECTED, { value: true });
  // Other libraries keep their decorators' data on the function.
  for (const each of Reflect.getMetadataKeys(original) as unknown[]) {
    Reflect.defineMetadata(each, Reflect.getMetadata(each, original), method);
  }
  return method;
}

function givenSignal(argument: unknown): AbortSignal | undefined {
  return argument instanceof AbortSignal ? argument : undefined;
}

function withSignal(args: readonly unknown[], at: number, signal: AbortSignal | undefined): unknown[] {
  const given = [...args];
  while (given.length < at) given.push(undefined);
  given[at] = signal;
  return given;
}
