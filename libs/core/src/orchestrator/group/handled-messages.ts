import type { Clock } from '../../ports/clock.js';
import { OrchestratorOptionError } from '../errors.js';

/** Characters of the longest id of a message. */
const LONGEST_ID = 4_096;

/** @throws OrchestratorOptionError */
export function assertMessageId(id: unknown): asserts id is string {
  if (typeof id === 'string' && id !== '' && id.length <= LONGEST_ID) return;
  throw new OrchestratorOptionError('messageId', `must be a text of 1 to ${LONGEST_ID} characters`, id);
}

/**
 * The newest ids of messages that machines of a group have handled; a repeat is known by them. As many as `limits` say, whoever sent them, in order of their handling,
 * so that the oldest is the first of the map.
 */
export class HandledMessages {
  private readonly handledAt = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly limits: { readonly repeatWindow: number; readonly repeatWindowMs: number },
  ) {}

  get size(): number {
    return this.handledAt.size;
  }

  /** @param machine its serial number, which another machine of the same id does not have */
  has(machine: number, id: string): boolean {
    const at = this.handledAt.get(`${machine}/${id}`);
    return at !== undefined && this.isYoung(at);
  }

  /** `false`: another one had to be forgotten before its time. */
  add(machine: number, id: string): boolean {
    const { handledAt, clock, limits } = this;
    for (const [key, at] of handledAt) {
      if (this.isYoung(at)) break;
      handledAt.delete(key);
    }
    const key = `${machine}/${id}`;
    handledAt.delete(key);
    handledAt.set(key, clock.monotonic());
    if (handledAt.size <= limits.repeatWindow) return true;
    const [oldest] = handledAt.keys();
    handledAt.delete(oldest as string);
    return false;
  }

  private isYoung(at: number): boolean {
    return this.clock.monotonic() - at < this.limits.repeatWindowMs;
  }
}
