import { parseJson } from '../../../message/json.js';

/**
 * What members and gateways tell each other, beside the frames of links:
 *
 * ```
 * 'g'  version  0  JSON of a word (UTF-8)
 * 'g'  version  1  bytes of the route  route (UTF-8)  frame of a link
 * ```
 */
export const GATEWAY_MAGIC = 0x67;
/** Changes with anything in this file. */
export const GATEWAY_VERSION = 2;
const WORD = 0;
const DATA = 1;

/** Bytes that a route takes of a frame at most. */
export const LONGEST_ROUTE = 255;
const FIXED = 4;
/** Bytes before the frame of a link, at most. */
export const ROUTE_OVERHEAD = FIXED + LONGEST_ROUTE;

/** What a gateway says of itself, to those whom it meets and in the directories. */
export interface Greeting {
  /** The local cluster that it is the gateway of. */
  readonly cluster: string;
  /** The distributed one. */
  readonly joins: string;
  readonly epoch: number;
  /** Bytes of the largest frame of a link that it carries. */
  readonly limit: number;
}

/** A machine's process as an answer names it. */
export interface Place {
  readonly endpoint: string;
  readonly incarnation: string;
  readonly limit: number;
}

/** Name in the directory and what is said about it. */
export type HeldName = readonly [name: string, about: string];

/** What is asked of a gateway. */
export interface Question {
  readonly about: 'machine' | 'processes' | 'names';
  readonly cluster: string;
  readonly group: string;
  readonly machine: string;
  /** Gateways that the question came through. */
  readonly hops: number;
}

/** How a route is opened. */
export interface Opening {
  readonly route: string;
  /** Where it comes from; written by the gateways. */
  readonly cluster: string;
  readonly endpoint: string;
  readonly toCluster: string;
  /** Incarnation of the process that it leads to. */
  readonly to: string;
  /** Gateways that it came through. */
  readonly hops: number;
  readonly limit: number;
}

export type Word =
  | ({ readonly kind: 'greeting' } & Greeting)
  /** Somebody has heard of a later epoch. */
  | { readonly kind: 'stale'; readonly cluster: string; readonly epoch: number }
  | ({ readonly kind: 'ask'; readonly number: number } & Question)
  /** A list may come in parts, all but the last with `more`. */
  | { readonly kind: 'answer'; readonly number: number; readonly found: unknown; readonly more: boolean }
  | { readonly kind: 'failure'; readonly number: number; readonly failure: unknown }
  | ({ readonly kind: 'open' } & Opening)
  | { readonly kind: 'close'; readonly route: string }
  /** The sender keeps durable machines of that group, or does not any more: it is a way in to all of them. */
  | { readonly kind: 'keeps'; readonly group: string; readonly keeps: boolean }
  /** Names that the sender holds now, and those that it does not any more; `all`: what it told before is void. */
  | {
      readonly kind: 'held';
      readonly all: boolean;
      readonly names: readonly HeldName[];
      readonly gone: readonly string[];
    };

/** A frame of a link, under way. */
export interface Data {
  readonly kind: 'data';
  readonly route: string;
  /** All of it, to be handed on. */
  readonly whole: Uint8Array;
  /** The frame of the link. */
  readonly frame: Uint8Array;
}

export function wordFrame(word: Word): Uint8Array {
  return dataFrame(Uint8Array.of(GATEWAY_MAGIC, GATEWAY_VERSION, WORD), encoder.encode(JSON.stringify(word)));
}

/** What stands before each frame of a route. */
export function routeHead(route: string): Uint8Array {
  const bytes = encoder.encode(route);
  return Uint8Array.of(GATEWAY_MAGIC, GATEWAY_VERSION, DATA, bytes.length, ...bytes);
}

export function dataFrame(head: Uint8Array, frame: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + frame.length);
  whole.set(head);
  whole.set(frame, head.length);
  return whole;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A frame of a gateway; undefined where it can't be read. */
export function readGatewayFrame(bytes: Uint8Array): Word | Data | undefined {
  const [magic, version, what, length = 0] = bytes;
  if (magic !== GATEWAY_MAGIC || version !== GATEWAY_VERSION) return undefined;
  if (what === WORD) return wordIn(decoder.decode(bytes.subarray(3)));
  if (what !== DATA || bytes.length < FIXED + length) return undefined;
  const route = decoder.decode(bytes.subarray(FIXED, FIXED + length));
  return { kind: 'data', route, whole: bytes, frame: bytes.subarray(FIXED + length) };
}

function wordIn(text: string): Word | undefined {
  let read: unknown;
  try {
    read = parseJson(text);
  } catch {
    return undefined;
  }
  const word = (typeof read === 'object' && read !== null ? read : {}) as Record<string, unknown>;
  const shape = SHAPES[String(word['kind']) as Word['kind']] as Readonly<Record<string, Check>> | undefined;
  if (shape === undefined) return undefined;
  for (const [name, check] of Object.entries(shape)) if (!check(word[name])) return undefined;
  return word as unknown as Word;
}

type Check = (value: unknown) => boolean;
const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const flag: Check = (value) => typeof value === 'boolean';
const anything: Check = () => true;
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const pairs: Check = (value) =>
  Array.isArray(value) && value.every((pair) => texts(pair) && (pair as unknown[]).length === 2);
const subject: Check = (value) => value === 'machine' || value === 'processes' || value === 'names';

/** A table without a prototype: a kind named `constructor` is none. */
const SHAPES = Object.assign(Object.create(null) as object, {
  greeting: { cluster: text, joins: text, epoch: count, limit: count },
  stale: { cluster: text, epoch: count },
  ask: { number: count, about: subject, cluster: text, group: text, machine: text, hops: count },
  answer: { number: count, found: anything, more: flag },
  failure: { number: count, failure: anything },
  open: {
    route: text,
    cluster: text,
    endpoint: text,
    toCluster: text,
    to: text,
    hops: count,
    limit: count,
  },
  close: { route: text },
  keeps: { group: text, keeps: flag },
  held: { all: flag, names: pairs, gone: texts },
} satisfies Record<Word['kind'], Readonly<Record<string, Check>>>) as Record<
  Word['kind'],
  Readonly<Record<string, Check>>
>;

export function placeIn(found: unknown): Place | undefined {
  const place = (typeof found === 'object' && found !== null ? found : {}) as Record<string, unknown>;
  const fits = text(place['endpoint']) && text(place['incarnation']) && count(place['limit']);
  return fits ? (place as unknown as Place) : undefined;
}
