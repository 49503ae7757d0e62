import type { ParkRequest, ParkResult } from '../ports/index.js';
import type { MemoryData } from './memory-data.js';
import { keyName } from './names.js';

/** Keeps one message for a key without an instance, or says that there is one. A message that waits already, waits on. */
export function parkOne(data: MemoryData, request: ParkRequest, now: number): ParkResult {
  const { key, delivery, done } = request;
  if (!data.locks.areFree([keyName(request, key)], null)) return 'present';
  if (data.instances.findByKey(request, key) !== undefined) return 'present';
  data.deliveries.park(request, key, delivery, now);
  data.removeWork(done);
  return 'parked';
}
