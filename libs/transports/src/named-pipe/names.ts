import { NameInvalidError, NameTakenError } from '@nestjs-orchestrator/core';
import type { Endpoint, NamedEntry } from '@nestjs-orchestrator/core/ports';
import { Claims, type Claim, type IsAlive } from './claims.js';
import { asNameRecord } from './descriptor.js';

/** That of a machine is its group's, '/' and an id of up to 255. */
const LONGEST_NAME_BYTES = 511;

/** The cluster's directory of names, as one endpoint uses it. */
export class Names {
  private readonly claims: Claims;
  /** Names that are held or wanted by this endpoint, and when that is settled. */
  private readonly own = new Map<string, Promise<void>>();

  constructor(
    folder: string,
    private readonly self: Endpoint,
    isAlive: IsAlive,
  ) {
    this.claims = new Claims(folder, self.incarnation, isAlive);
  }

  /** @throws NameInvalidError, NameTakenError */
  async claim(name: string, about: string): Promise<void> {
    const bytes = Buffer.byteLength(name);
    if (bytes < 1 || bytes > LONGEST_NAME_BYTES) throw new NameInvalidError(name, LONGEST_NAME_BYTES);
    if (this.own.has(name)) throw new NameTakenError(name, this.self.name);
    const taking = this.take(name, about);
    this.own.set(name, taking);
    try {
      await taking;
    } catch (error) {
      this.own.delete(name);
      throw error;
    }
  }

  async unclaim(name: string): Promise<void> {
    const taking = this.own.get(name);
    if (taking === undefined) return;
    // Who asked for it has heard of a failure.
    await taking.catch(() => undefined);
    if (this.own.get(name) !== taking) return;
    await this.claims.release(name);
    this.own.delete(name);
  }

  async unclaimAll(): Promise<void> {
    const given = await Promise.allSettled([...this.own.keys()].map((name) => this.unclaim(name)));
    const kept = given.find((each) => each.status === 'rejected');
    if (kept !== undefined) throw kept.reason;
  }

  async locate(name: string): Promise<NamedEntry | undefined> {
    return entryOf(await this.claims.holder(name));
  }

  /** Every name that is held. What dead endpoints have left is removed on the way. */
  async all(): Promise<readonly NamedEntry[]> {
    return (await this.claims.all()).map(entryOf).filter((entry) => entry !== undefined);
  }

  private async take(name: string, about: string): Promise<void> {
    const rival = await this.claims.take(name, { name, about, endpoint: this.self });
    if (rival !== undefined)
      throw new NameTakenError(name, entryOf(rival)?.endpoint.name ?? rival.incarnation);
  }
}

function entryOf(claim: Claim | undefined): NamedEntry | undefined {
  const found = asNameRecord(claim?.content);
  return found === undefined ? undefined : { name: found.name, endpoint: found.endpoint, about: found.about };
}
