import { NameInvalidError, NameTakenError, TransportClosedError } from '@nestjs-orchestrator/core';
import type { Endpoint, NamedEntry } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import type { ClusterKeys } from './cluster-keys.js';
import { claimScript, namesScript, unclaimScript } from './scripts.js';

/** Bytes of the longest name. */
export const LONGEST_NAME = 512;

/** @throws NameInvalidError */
export function checkName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > LONGEST_NAME) throw new NameInvalidError(name, LONGEST_NAME);
}

/** The names of a cluster; one is held as long as its holder's lease. */
export class Directory {
  constructor(
    private readonly connection: Connection,
    private readonly keys: ClusterKeys,
    private readonly cluster: string,
    private readonly self: Endpoint,
  ) {}

  async claim(name: string, about: string): Promise<void> {
    checkName(name);
    const { incarnation } = this.self;
    const entry = JSON.stringify([incarnation, this.self.name, about]);
    const answer = await this.connection.run({
      script: claimScript,
      keys: [this.keys.until, this.keys.names, this.keys.heldBy(incarnation)],
      args: [incarnation, name, entry],
    });
    if (answer === 0) throw new TransportClosedError(this.cluster, this.self.name);
    if (typeof answer === 'string') throw new NameTakenError(name, entryOf(name, answer).endpoint.name);
  }

  async unclaim(name: string): Promise<void> {
    const { incarnation } = this.self;
    const keys = [this.keys.names, this.keys.heldBy(incarnation)];
    await this.connection.run({ script: unclaimScript, keys, args: [incarnation, name] });
  }

  async locate(name: string): Promise<NamedEntry | undefined> {
    return (await this.list(name))[0];
  }

  async list(...name: readonly string[]): Promise<readonly NamedEntry[]> {
    const keys = [this.keys.until, this.keys.names];
    const found = (await this.connection.run({ script: namesScript, keys, args: name })) as readonly string[];
    const entries: NamedEntry[] = [];
    for (let at = 0; at < found.length; at += 2) entries.push(entryOf(found[at] ?? '', found[at + 1] ?? ''));
    return entries;
  }
}

/** A name of the directory, and what stands behind it. */
export function entryOf(name: string, entry: string): NamedEntry {
  const [incarnation, endpoint, about] = JSON.parse(entry) as [string, string, string];
  return { name, endpoint: { name: endpoint, incarnation }, about };
}
