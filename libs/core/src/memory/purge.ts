import type { Purged, PurgeRequest } from '../ports/index.js';
import type { MemoryData } from './memory-data.js';

/** Forgets what is older than it has to be kept. */
export function purge(data: MemoryData, request: PurgeRequest, now: number): Purged {
  const { inboxMs, lettersMs, tombstonesMs, limit } = request;
  const purged = {
    inbox: data.instances.purge(now - inboxMs, limit),
    consumed: data.transactions.purge(now - inboxMs, limit),
    letters: data.deadLetters.purge(now - lettersMs, limit),
    tombstones: data.tombstones.purge(now - tombstonesMs, limit),
  };
  return { ...purged, more: Object.values(purged).some((count) => count >= limit) };
}
