import { EndpointTakenError, RegistryFullError } from '@nestjs-orchestrator/core';
import type { Segment } from '../segment/segment.js';
import type { Ground } from './ground.js';
import type { OwnPlace } from './peer-link.js';

/** Who wants a place. */
export interface Applicant {
  readonly cluster: string;
  readonly name: string;
  readonly incarnation: string;
  readonly pid: number;
}

/**
 * Under the lock: takes a slot for a new endpoint and makes it seen. The dead are removed first. `prepare` may refuse (no memory for its lanes): then
 * nothing has changed.
 *
 * @throws EndpointTakenError, RegistryFullError, and what `prepare` throws
 */
export function takePlace(
  segment: Segment,
  ground: Pick<Ground, 'isAlive' | 'forget' | 'remove' | 'ring'>,
  applicant: Applicant,
  prepare: (place: OwnPlace, others: readonly number[]) => void,
): OwnPlace {
  buryTheDead(segment, ground);
  const live = segment.live();
  const holder = live.find(({ name }) => name === applicant.name);
  if (holder !== undefined) throw new EndpointTakenError(applicant.cluster, applicant.name, holder.pid);
  const slot = segment.freeSlot();
  if (slot === undefined) throw new RegistryFullError('endpoints', segment.endpoints.slots, 'maxEndpoints');
  const generation = segment.endpoints.write(slot, applicant.name, applicant.incarnation, applicant.pid);
  const place = { slot, generation };
  prepare(
    place,
    live.map((other) => other.slot),
  );
  segment.endpoints.publish(slot, generation);
  segment.header.membersChanged();
  return place;
}

function buryTheDead(segment: Segment, ground: Pick<Ground, 'isAlive' | 'forget' | 'remove'>): void {
  for (const { slot, generation } of segment.live()) {
    if (ground.isAlive(slot, generation)) continue;
    segment.bury(slot, generation);
    ground.remove(slot, generation);
    ground.forget(slot, generation);
  }
}
