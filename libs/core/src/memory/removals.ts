import type { RemoveRequest, SettleRequest } from '../ports/index.js';
import { stored } from './commits.js';
import type { MemoryData } from './memory-data.js';
import { instanceName } from './names.js';

/** Takes an instance out of the way, and leaves a tombstone on each of its keys. */
export function removeOne(data: MemoryData, request: RemoveRequest, now: number): 'removed' | 'conflict' {
  const { ref, expectedVersion, archive } = request;
  const row = data.instances.find(ref);
  if (row?.version !== expectedVersion) return 'conflict';
  if (!data.instances.admits(ref, null, now) || !data.locks.areFree([instanceName(ref)], null)) {
    return 'conflict';
  }
  const keys = data.instances.keysOf(ref);
  if (archive) {
    const history = data.histories.read(ref);
    data.archive.keep({ instance: stored(data, row), keys, history, archivedAt: now });
  }
  data.deliveries.giveUpAll(ref, now);
  data.timers.removeAll(ref);
  data.histories.remove(ref);
  data.tombstones.add(ref, keys, row.createdBy, now);
  data.instances.remove(ref);
  return 'removed';
}

/** Settles an open letter; its work goes on, or its row goes. */
export function settleOne(data: MemoryData, request: SettleRequest, now: number): boolean {
  const letter = data.deadLetters.settle(request, now);
  if (letter === null) return false;
  const { work } = request;
  if (work === null) {
    if (data.outbox.isDead(letter)) data.removeWork([letter]);
  } else if (data.outbox.revive(work, now)) data.hints.tell();
  else data.writeWork([work], now, null);
  return true;
}
