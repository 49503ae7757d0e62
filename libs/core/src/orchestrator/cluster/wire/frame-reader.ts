import type { FrameTooLargeError } from '../../../errors/transport-errors.js';
import { parseJson } from '../../../message/json.js';
import { MAGIC, REFUSAL, VERSION } from './format.js';
import { MalformedFrame } from '../../../framing/malformed-frame.js';
import { NumberReader } from '../../../framing/numbers.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the first bytes of a frame say. */
export type FrameKind =
  | { readonly kind: 'frame' }
  | { readonly kind: 'refusal'; readonly reason: number; readonly version: number }
  | { readonly kind: 'foreign'; readonly version: number | undefined };

const FRAME: FrameKind = { kind: 'frame' };

export function frameKind(bytes: Uint8Array): FrameKind {
  const [magic, version, reason, spoken] = bytes;
  if (magic !== MAGIC || version === undefined) return { kind: 'foreign', version: undefined };
  if (version === VERSION) return FRAME;
  if (version === REFUSAL) return { kind: 'refusal', reason: reason ?? 0, version: spoken ?? 0 };
  return { kind: 'foreign', version };
}

/** Reads the heads of a frame one after the other. Whatever is wrong with it ends in {@link MalformedFrame}. */
export class FrameReader extends NumberReader {
  /** Its number. */
  readonly frame: number;
  private readonly payloads: readonly unknown[];
  private taken = 0;

  /** @param refusal it is only the beginning of a frame that is too large: there are its heads, and this in place of its payload */
  constructor(
    bytes: Uint8Array,
    readonly refusal?: FrameTooLargeError,
  ) {
    super(bytes, 2, bytes.length);
    this.frame = this.number();
    if (this.frame === 0) throw new MalformedFrame('it has no number');
    const heads = this.number();
    if (this.at + heads > bytes.length) throw new MalformedFrame('it ends within its heads');
    this.end = this.at + heads;
    this.payloads = refusal === undefined ? payloadsIn(bytes.subarray(this.end)) : [refusal];
  }

  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  /** A text that stands among the heads. */
  text(): string {
    const bytes = this.number();
    const from = this.at;
    if (from + bytes > this.end) throw new MalformedFrame('it ends within a text');
    this.at = from + bytes;
    try {
      return decoder.decode(this.bytes.subarray(from, this.at));
    } catch {
      throw new MalformedFrame('a text is no UTF-8');
    }
  }

  payload(): unknown {
    if (this.taken >= this.payloads.length) throw new MalformedFrame('a payload is missing');
    const payload = this.payloads[this.taken];
    this.taken += 1;
    return payload;
  }
}

function payloadsIn(bytes: Uint8Array): readonly unknown[] {
  if (bytes.length === 0) return [];
  let parsed: unknown;
  try {
    parsed = parseJson(decoder.decode(bytes));
  } catch {
    throw new MalformedFrame('its payloads are no JSON');
  }
  if (!Array.isArray(parsed)) throw new MalformedFrame('its payloads are no list');
  return parsed;
}
