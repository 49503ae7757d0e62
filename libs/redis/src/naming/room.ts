import type { InstanceRef, KeyRecord, WorkKey } from '@nestjs-orchestrator/core/ports';
import { encode, joined } from './encode.js';

/** What a tenant has once. Scripts that change instances need the first `FOR_COMMITS`. */
const ROOM_KEYS = [
  'sequence',
  'delivery:row',
  'delivery:meta',
  'delivery:box',
  'delivery:due',
  'timer:row',
  'timer:meta',
  'work:row',
  'work:meta',
  'ended',
  'sagas',
  'tombstone:row',
  'tombstone:at',
  'dead:row',
  'dead:order',
  'dead:settled',
  'consumed',
  'consumed:at',
  'archive',
] as const;

/** The place of each fixed key among the keys of a script. */
export const ROOM = {
  sequence: 1,
  deliveryRow: 2,
  deliveryMeta: 3,
  deliveryBox: 4,
  deliveryDue: 5,
  timerRow: 6,
  timerMeta: 7,
  workRow: 8,
  workMeta: 9,
  ended: 10,
  sagas: 11,
  tombstoneRow: 12,
  tombstoneAt: 13,
  deadRow: 14,
  deadOrder: 15,
  deadSettled: 16,
  consumed: 17,
  consumedAt: 18,
  archive: 19,
} as const;

/** How many fixed keys a script needs that commits, and no more than that. */
export const FOR_COMMITS = ROOM.tombstoneAt;
/** How many one needs that writes or removes work. */
export const FOR_WORK = ROOM.workMeta;

/**
 * The names of everything that one tenant has. What stands in braces decides the slot of a cluster: all keys of a tenant lie in one
 * slot, so that a script can take several of them at once.
 */
export class Room {
  private readonly tag: string;
  /** What the tenant has once, in the order that scripts know (`ROOM`). */
  readonly fixed: readonly string[];
  readonly delivery: {
    readonly row: string;
    readonly meta: string;
    readonly box: string;
    readonly due: string;
  };
  readonly dead: { readonly row: string; readonly order: string };
  /** Hash: message → what became of it at a participant. */
  readonly consumedBy: string;
  /** Sorted set: those messages by the instant. */
  readonly consumedAt: string;
  /** Sorted set: ended instances by their end, as long as they have an inbox. */
  readonly ended: string;
  /** Set: sagas of which there was an instance. */
  readonly sagas: string;
  readonly archive: string;
  readonly work: { readonly row: string; readonly meta: string };

  constructor(
    prefix: string,
    readonly tenant: string,
  ) {
    const tag = `{${joined(prefix, tenant)}}:`;
    this.tag = tag;
    this.fixed = ROOM_KEYS.map((name) => `${tag}${name}`);
    const at = (name: (typeof ROOM_KEYS)[number]): string => `${tag}${name}`;
    this.delivery = {
      row: at('delivery:row'),
      meta: at('delivery:meta'),
      box: at('delivery:box'),
      due: at('delivery:due'),
    };
    this.work = { row: at('work:row'), meta: at('work:meta') };
    this.dead = { row: at('dead:row'), order: at('dead:order') };
    this.consumedBy = at('consumed');
    this.consumedAt = at('consumed:at');
    this.ended = at('ended');
    this.sagas = at('sagas');
    this.archive = at('archive');
  }

  /** Hash: correlation key → instance id. */
  keys(saga: string): string {
    return `${this.tag}keys:${encode(saga)}`;
  }

  /** Sorted set: instances by creation, by state, by status, and those that have not ended. */
  index(saga: string): string {
    return `${this.tag}index:${encode(saga)}`;
  }

  /** Hash: the instance itself. */
  instance(saga: string, id: string): string {
    return `${this.tag}instance:${joined(saga, id)}`;
  }

  /** Hash: message id → what became of it. */
  inbox(saga: string, id: string): string {
    return `${this.tag}inbox:${joined(saga, id)}`;
  }

  /** The same, of the instance that {@link Room.ended} names so. */
  inboxNamed(name: string): string {
    return `${this.tag}inbox:${name}`;
  }

  /** List: what happened, oldest first. */
  history(saga: string, id: string): string {
    return `${this.tag}history:${joined(saga, id)}`;
  }

  /** Sorted set: timers of a saga by the instant from which they may be claimed. */
  timerDue(saga: string): string {
    return `${this.tag}timer:due:${encode(saga)}`;
  }

  /** Sorted set: work of a destination that stands first in its lane, by the instant from which it may be claimed. */
  workDue(destination: string): string {
    return `${this.tag}work:due:${encode(destination)}`;
  }

  /** Sorted set: the lanes of a destination, each in the order of writing. */
  workLanes(destination: string): string {
    return `${this.tag}work:lanes:${encode(destination)}`;
  }

  /** String: the transaction that is about to decide about a message. */
  deciding(message: WorkKey): string {
    return `${this.tag}deciding:${workName(message)}`;
  }
}

/** Name of a row of work within its tenant. */
export function workName({ destination, id }: Pick<WorkKey, 'destination' | 'id'>): string {
  return joined(destination, id);
}

/** Begins the names of the rows of a lane; `''` for work without one. */
export function laneName(lane: string | null): string {
  return lane === null ? '' : `${encode(lane)}/`;
}

/** Name of a correlation key within (tenant, saga). */
export function keyName({ name, value }: KeyRecord): string {
  return joined(name, value);
}

/** Mailbox of an instance, within its tenant. */
export function instanceBox({ saga, id }: Pick<InstanceRef, 'saga' | 'id'>): string {
  return `i/${joined(saga, id)}`;
}

/** Mailbox of an instance that is yet to come, within its tenant. */
export function keyBox(saga: string, key: KeyRecord): string {
  return `k/${encode(saga)}/${keyName(key)}`;
}

/** Name of a timer within its tenant. */
export function timerName({ saga, id, name }: { saga: string; id: string; name: string }): string {
  return joined(saga, id, name);
}
