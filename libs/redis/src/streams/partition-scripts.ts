import type { Connection } from '../connection/connection.js';
import type { PartitionKeys } from './cluster-keys.js';
import { buryScript, countScript, giveScript, suspectScript } from './scripts.js';

/** What an owner does about its partition; each call says under which epoch, and 0 or `false` answers that it is another's. */
export class PartitionScripts {
  constructor(
    private readonly connection: Connection,
    private readonly keys: PartitionKeys,
    private readonly epoch: number,
  ) {}

  async suspects(limit: number): Promise<readonly (readonly [id: string, count: number])[]> {
    const { owner, stream, attempts } = this.keys;
    const call = { script: suspectScript, keys: [owner, stream, attempts], args: [this.epoch, limit] };
    const found = await this.connection.run(call);
    if (!Array.isArray(found)) return [];
    const pairs: [string, number][] = [];
    for (let at = 0; at < found.length; at += 2) pairs.push([String(found[at]), Number(found[at + 1])]);
    return pairs;
  }

  async count(id: string): Promise<number> {
    const { owner, attempts } = this.keys;
    const call = { script: countScript, keys: [owner, attempts], args: [this.epoch, id] };
    return Number(await this.connection.run(call));
  }

  async bury(id: string, reason: string, failures: number): Promise<boolean> {
    const { owner, stream, attempts, letters } = this.keys;
    const call = {
      script: buryScript,
      keys: [owner, stream, attempts, letters],
      args: [this.epoch, id, reason, failures],
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
