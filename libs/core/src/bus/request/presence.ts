import { parseJson, toJson } from '../../message/json.js';
import type { InstanceStore, WriteOptions } from '../../ports/instance-store.js';
import type { ClaimedWork, WorkRecord } from '../../ports/records.js';
import type { Consumed, Consumer } from '../relay/consumer.js';
import { CLOCKS_DIFFER_MS, replyDestination } from './reply-work.js';
import { LONGEST_REQUEST_MS } from './requests.js';

/** Destination of the rows by which nodes know of each other's end. */
export const PRESENCE = 'presence';
/** Presence belongs to no tenant of the application's. */
const TENANT = '$nodes';
/** How many replies one statement takes away. */
const BATCH = 200;

/** What a row of presence says. */
interface Presence {
  readonly node: string;
  /** Its replies were removed once; the rest were written by nodes that did not know of its end. */
  readonly gone: boolean;
}

/** What presence needs of its node. */
export interface PresencePorts {
  readonly store: InstanceStore;
  readonly writeOptions: () => WriteOptions;
}

/**
 * Tells the other nodes that this one is there: by a row of work that it holds leased as long as it lives. Whoever gets to claim such a row knows that
 * its node is gone, and removes the replies that nobody will ask for any more.
 */
export class NodePresence implements Consumer {
  readonly pool = 'general';
  private held = false;

  constructor(private readonly ports: PresencePorts) {}

  async begin(): Promise<void> {
    const { store, writeOptions } = this.ports;
    const { owner } = writeOptions();
    // Never offered to the relay: it is held, not done.
    this.held = await store.enqueue([row(owner, false, 0)], writeOptions());
  }

  /** Prolongs the lease. */
  async renew(): Promise<void> {
    const { store, writeOptions } = this.ports;
    if (this.held) await store.renewWork([row(writeOptions().owner, false, 0)], writeOptions());
  }

  /** Leaves nothing behind. */
  async end(): Promise<void> {
    if (!this.held) return;
    this.held = false;
    const { store, writeOptions } = this.ports;
    const { owner } = writeOptions();
    await this.removeReplies(owner);
    await store.completeWork([row(owner, false, 0)]);
  }

  async consume(work: ClaimedWork): Promise<Consumed> {
    const { store, writeOptions } = this.ports;
    const { node, gone } = parseJson(work.payload) as Presence;
    // This node's own, whose lease had run out while it stood still: it is held again.
    if (node === writeOptions().owner) return 'consumed';
    await this.removeReplies(node);
    // Until the last of its requests has timed out by all clocks, others may still answer it.
    if (!gone) await store.enqueue([row(node, true, LONGEST_REQUEST_MS + CLOCKS_DIFFER_MS)], writeOptions());
    return 'settled';
  }

  private async removeReplies(node: string): Promise<void> {
    const { store, writeOptions } = this.ports;
    for (;;) {
      const request = { ...writeOptions(), destinations: [replyDestination(node)], limit: BATCH };
      const { items } = await store.claimWork(request);
      await store.completeWork(items);
      if (items.length < BATCH) return;
    }
  }
}

function row(node: string, gone: boolean, delayMs: number): WorkRecord {
  const payload = toJson({ node, gone } satisfies Presence, 'presence');
  return {
    tenant: TENANT,
    destination: PRESENCE,
    id: gone ? `${node} gone` : node,
    lane: null,
    payload,
    delayMs,
  };
}
