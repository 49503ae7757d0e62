import { MOST_HANDLES } from '../wire/format.js';
import { MalformedFrame } from '../../../framing/malformed-frame.js';
import { LocalTarget } from './local-target.js';

/** The machines that a sender has named, by the handles that its envelopes mean them by. */
export class NamedTargets {
  private readonly targets: (LocalTarget | undefined)[] = [];

  define(handle: number, payload: unknown): void {
    if (handle >= MOST_HANDLES || !isTarget(payload)) throw new MalformedFrame('it names no machine');
    this.targets[handle] = new LocalTarget(payload[0], payload[1]);
  }

  of(handle: number): LocalTarget {
    const target = this.targets[handle];
    if (target === undefined) throw new MalformedFrame('it means a machine that it did not name');
    return target;
  }
}

function isTarget(payload: unknown): payload is readonly [group: string, id: string] {
  return Array.isArray(payload) && payload.length === 2 && payload.every((part) => typeof part === 'string');
}
