import type { EventObject, Snapshot } from '@nestjs-orchestrator/statechart';
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
  /** `stop`: the machine ends and is forgotten; `wait`: says when it is in a state. */
  readonly kind: 'start' | 'event' | 'stop' | 'wait';
  readonly machine: string;
  readonly messageId: string;
  /** Group of the sender, where that is another one. */
  readonly from?: string;
  /** Of a start: the definition. */
  readonly definition?: string;
  readonly input?: unknown;
  readonly event?: EventObject;
  /** Of a wait: the state, and how long the owner waits before it says that it is not there yet. */
  readonly state?: string;
  readonly limitMs?: number;
  /** The answer has the snapshot. */
  readonly full?: boolean;
  readonly replyTo?: ReplyTo;
}

/** What an owner has made of a frame. */
export interface DurableOutcome {
  readonly changed: boolean;
  readonly duplicate: boolean;
  readonly reply?: unknown;
  /** The machine afterwards; from another process as `serialize` writes it, where the request has asked for it. */
  readonly snapshot?: Snapshot | string;
  /** Why there is no snapshot, though the request has asked for it. */
  readonly unsent?: unknown;
  /** Of a wait: the state was not reached yet. */
  readonly waiting?: boolean;
}

/** What comes back. */
export type DurableAnswer = { readonly request: number } & (
  | DurableOutcome
  | { readonly error: { readonly code: string; readonly message: string; readonly failure?: unknown } }
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

const KINDS: ReadonlySet<unknown> = new Set<DurableFrame['kind']>(['start', 'event', 'stop', 'wait']);

/** As far as it can be looked at: undefined for what this build does not know, or somebody else has written. */
export function readableFrame(bytes: Uint8Array): DurableFrame | undefined {
  let frame: Partial<DurableFrame> | undefined;
  try {
    frame = decodeFrame<DurableFrame>(bytes);
  } catch {
    return undefined;
  }
  const { kind, machine, messageId, event } = frame ?? {};
  const isFrame = KINDS.has(kind) && typeof machine === 'string' && typeof messageId === 'string';
  const hasEvent = typeof event === 'object' && event !== null && typeof event.type === 'string';
  return isFrame && (kind !== 'event' || hasEvent) ? (frame as DurableFrame) : undefined;
}
