import type { EventObject } from '@nestjs-orchestrator/statechart';
import { parseJson, toJson } from '../../message/json.js';
import type { Endpoint } from '../../ports/transport.js';

/** Whom an answer goes to. */
export interface ReplyTo {
  readonly endpoint: Endpoint;
  /** Number of the request there. */
  readonly request: number;
}

/** What goes to the owner of a durable machine. */
export interface DurableFrame {
  readonly kind: 'start' | 'event';
  readonly machine: string;
  readonly messageId: string;
  /** Of a start: the definition. */
  readonly definition?: string;
  readonly input?: unknown;
  readonly event?: EventObject;
  readonly replyTo?: ReplyTo;
}

/** What comes back. */
export type DurableAnswer = { readonly request: number } & (
  | { readonly changed: boolean; readonly duplicate: boolean; readonly reply?: unknown }
  | { readonly error: { readonly code: string; readonly message: string } }
);

/** Version of frames: another one is given back, since a newer process may come to own it. */
const FORM = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @throws NotJsonError */
export function encodeFrame(frame: DurableFrame | DurableAnswer): Uint8Array {
  return encoder.encode(toJson({ form: FORM, ...frame }, 'event'));
}

/** undefined: a form that this build does not know. Throws for what is no JSON. */
export function decodeFrame<T extends DurableFrame | DurableAnswer>(bytes: Uint8Array): T | undefined {
  const parsed = parseJson(decoder.decode(bytes)) as T & { readonly form?: unknown };
  return parsed.form === FORM ? parsed : undefined;
}
