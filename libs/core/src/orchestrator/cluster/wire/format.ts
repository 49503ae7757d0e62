/**
 * A frame: what one process tells another in one go. Byte by byte (`n` is an unsigned number of 7 bits a byte, the last without the
 * top bit; it may have more bytes than it needs):
 *
 * ```
 * 'o'  version  n: number of the frame  n: bytes of the heads  heads  JSON list of payloads (UTF-8; nothing where there are none)
 * ```
 *
 * A head is its kind and what stands beside it below; those marked `+` take the next payload. Frames, and the envelopes in them, count up from 1 for
 * each pair of incarnations, so that an envelope's number need not be written; remarks have none.
 *
 * What the transport can't carry in one frame goes in pieces, one after the other with nothing in between. A piece has 0 in place of the number:
 *
 * ```
 * 'o'  version  0  n: number of the whole frame  n: bytes of it  n: bytes of it that came before  bytes
 * ```
 */
export const MAGIC = 0x6f;
/** Changes with anything in this file. */
export const VERSION = 5;
/** In place of the version: the receiver refuses to read on. Followed by the reason and by the version that it speaks, in all versions. */
export const REFUSAL = 0;
export const REFUSED_VERSION = 1;
export const REFUSED_MALFORMED = 2;

/** Remarks. */
export const HELLO = 1; // + { group } of the sender; before anything else
export const ACCEPTED = 2; // n: all envelopes up to it are in a mailbox, or were refused
export const DONE = 3; // n: first, n: how many: their steps are over
export const FAILED = 4; // n: number + failure
export const REPLY = 5; // n: number + answer
export const CANCEL = 6; // n: number; the answer is no longer waited for
export const ANSWER = 8; // n: number, a byte of flags, n: bytes, so many bytes of a snapshot as text + reply, where a flag says so; what a REPLY to a request says otherwise
export const TARGET = 7; // n: handle + [group, machine]; envelopes mean the machine by the handle
export const PROBE = 9; // how far was read? Answered by READ
export const READ = 10; // n: all frames up to it were read

/** Flags of an ANSWER. */
export const CHANGED = 1;
export const HAS_REPLY = 2;
/** UTF-16 units of a snapshot that goes in an ANSWER, at most. */
export const MOST_SNAPSHOT_UNITS = 512;

/** Envelopes. */
export const EVENT = 16; // n: handle + event
export const REQUEST = 17; // n: handle, n: time-out in ms + event
export const SNAPSHOT = 18; // n: handle
export const WAIT = 19; // n: handle, n: time-out in ms and 1, 0 for none + state
export const STOP = 20; // n: handle
export const BROADCAST = 21; // + { group, event }
export const NAMED_EVENT = 22; // as EVENT, + [message id, event]
export const NAMED_REQUEST = 23; // as REQUEST, + [message id, event]
/** The highest kind. */
export const LAST_KIND = NAMED_REQUEST;

/** Machines that a link knows by a handle at a time. */
export const MOST_HANDLES = 16_384;

export function hasLimit(kind: number): boolean {
  return kind === REQUEST || kind === WAIT || kind === NAMED_REQUEST;
}

export function hasPayload(kind: number): boolean {
  return kind !== SNAPSHOT && kind !== STOP;
}
