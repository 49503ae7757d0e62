import type { Commit, WorkKey } from '@nestjs-orchestrator/core/ports';
import type { Parameters } from '../connection/script.js';
import { keyName, type Room } from '../naming/room.js';

/** What an open transaction holds, for as long as its node renews it. */
export class Holdings {
  private readonly deciding = new Set<string>();
  private readonly instances = new Set<string>();
  private readonly keys = new Map<string, readonly [key: string, field: string]>();

  get isEmpty(): boolean {
    return this.deciding.size + this.instances.size + this.keys.size === 0;
  }

  addDecision(room: Room, message: WorkKey): void {
    this.deciding.add(room.deciding(message));
  }

  addCommit(room: Room, { ref, keys, supersedes }: Commit): void {
    this.instances.add(room.instance(ref.saga, ref.id));
    if (supersedes !== null) this.instances.add(room.instance(ref.saga, supersedes));
    const hash = room.keys(ref.saga);
    for (const key of keys) {
      if (key.many !== true) this.keys.set(`${hash} ${keyName(key)}`, [hash, keyName(key)]);
    }
  }

  /** As `eachHolding` of the scripts reads them. */
  push(to: Parameters): void {
    to.pushAll([...this.deciding], (key) => to.pushKey(key));
    to.pushAll([...this.instances], (key) => to.pushKey(key));
    to.pushAll([...this.keys.values()], ([key, field]) => to.pushKey(key).push(field));
  }
}
