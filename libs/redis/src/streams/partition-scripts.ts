import type { Connection } from '../connection/connection.js';
import type { PartitionKeys } from './cluster-keys.js';
import { buryScript, countScript, giveScript, openScript } from './scripts.js';

/** A frame that is given up. */
export interface BuriedFrame {
  /** Id of its entry, and its own. */
  readonly entry: string;
  readonly id: string;
  readonly name: string;
  readonly bytes: Buffer;
}

/** What an owner does about its partition; each call says under which epoch, and 0 or `false` answers that it is another's. */
export class PartitionScripts {
  constructor(
    private readonly connection: Connection,
    private readonly keys: PartitionKeys,
    private readonly epoch: number,
  ) {}

  /** What is known of frames: deliveries that were counted, or that they are done. `limit`: of how many its last owner may have died, or 0. */
  async open(limit: number): Promise<readonly (readonly [id: string, count: number | 'done'])[]> {
    const { owner, stream, attempts } = this.keys;
    const call = { script: openScript, keys: [owner, stream, attempts], args: [this.epoch, limit] };
    const found = await this.connection.run(call);
    if (!Array.isArray(found)) return [];
    const pairs: [string, number | 'done'][] = [];
    for (let at = 0; at < found.length; at += 2) {
      pairs.push([String(found[at]), found[at + 1] === 'd' ? 'done' : Number(found[at + 1])]);
    }
    return pairs;
  }

  async count(id: string): Promise<number> {
    const { owner, attempts } = this.keys;
    const call = { script: countScript, keys: [owner, attempts], args: [this.epoch, id] };
    return Number(await this.connection.run(call));
  }

  async bury({ entry, id, name, bytes }: BuriedFrame, reason: string, failures: number): Promise<boolean> {
    const { owner, stream, attempts, letters } = this.keys;
    const call = {
      script: buryScript,
      keys: [owner, stream, attempts, letters],
      args: [this.epoch, entry, id, name, bytes, reason, failures],
    };
    return (await this.connection.run(call)) === 1;
  }

  async give(): Promise<boolean> {
    const call = { script: giveScript, keys: [this.keys.owner], args: [this.epoch] };
    return (await this.connection.run(call)) === 1;
  }

  pause(): Promise<void> {
    return this.connection.pause();
  }
}
