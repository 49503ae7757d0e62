import type { InboxRecord, LoadRequest, LoadResult, Tombstone } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import type { Call } from '../connection/script.js';
import { encode } from '../naming/encode.js';
import { instanceBox, keyBox, keyName, ROOM, type Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import { storedInstance, type InstanceFields } from './instance-record.js';
import { loadScript } from './load.lua.js';

type Reply =
  | readonly [found: 0, waits: 0 | 1, gone: readonly Stone[]]
  | readonly [elsewhere: 1, id: string]
  | readonly [found: 2, ...fields: InstanceFields, seen: string | null, waits: 0 | 1, gone: readonly Stone[]];

/** One of the instances that are gone from a key; the message that created it after `=`. */
type Stone = readonly [id: string, start: string, at: string];

const MOST_KNOWN = 50_000;
const NOT_SEEN: LoadResult = { instance: null, seen: null, tombstone: null };

/**
 * Loads instances, all at once. A script may only touch keys that it is told beforehand, and whose instance a correlation key is stands in the store; so
 * a key is asked for with the id it had the last time, which hardly ever changes, and asked for again where that was wrong.
 */
export class Loads {
  private readonly ids = new Map<string, string>();

  constructor(
    private readonly connection: Connection,
    private readonly rooms: Rooms,
  ) {}

  async load(requests: readonly LoadRequest[]): Promise<readonly LoadResult[]> {
    const results: LoadResult[] = requests.map(() => NOT_SEEN);
    let open = requests.map((_, place) => place);
    while (open.length > 0) open = await this.round(requests, open, results);
    return results;
  }

  /** Loads what is open; which requests are to be asked for again. */
  private async round(
    requests: readonly LoadRequest[],
    places: readonly number[],
    results: LoadResult[],
  ): Promise<number[]> {
    const asked = places.flatMap((place) => {
      const request = requests[place];
      return request === undefined ? [] : [{ place, request, id: this.idOf(request) }];
    });
    const calls = asked.map(({ request, id }) => loadCall(this.rooms.of(request.tenant), request, id));
    const answers = await this.connection.runAll(calls);
    const again: number[] = [];
    asked.forEach(({ place, request, id }, n) => {
      const reply = answers[n] as Reply | Error;
      if (reply instanceof Error) throw reply;
      if (reply[0] === 1) {
        this.remember(request, reply[1]);
        again.push(place);
      } else results[place] = answer(request, id, reply);
    });
    return again;
  }

  private idOf(request: LoadRequest): string {
    return 'id' in request.by ? request.by.id : (this.ids.get(nameOf(request)) ?? '');
  }

  private remember(request: LoadRequest, id: string): void {
    if (this.ids.size >= MOST_KNOWN) this.ids.clear();
    this.ids.set(nameOf(request), id);
  }
}

function nameOf({ tenant, saga, by }: LoadRequest): string {
  return 'key' in by ? JSON.stringify([tenant, saga, by.key.name, by.key.value]) : '';
}

function loadCall(room: Room, { saga, by, messageId }: LoadRequest, id: string): Call {
  const { delivery } = room;
  const key = 'key' in by ? by.key : null;
  const tombstones = room.fixed[ROOM.tombstoneRow - 1] ?? '';
  return {
    script: loadScript,
    keys: [
      room.keys(saga),
      room.instance(saga, id),
      room.inbox(saga, id),
      delivery.box,
      delivery.meta,
      tombstones,
    ],
    args: [
      '0',
      key === null ? '' : keyName(key),
      id,
      messageId,
      encode(messageId),
      instanceBox({ saga, id }),
      key === null ? '' : keyBox(saga, key),
      key === null ? '' : `${encode(saga)}/${keyName(key)}`,
    ],
  };
}

function answer(
  { tenant, saga, messageId }: LoadRequest,
  id: string,
  reply: Exclude<Reply, readonly [1, string]>,
): LoadResult {
  const deferred: InboxRecord = { messageId, outcome: 'deferred', reply: null };
  if (reply[0] === 0) {
    return { instance: null, seen: reply[1] === 1 ? deferred : null, tombstone: tombstone(reply[2]) };
  }
  const [, version, created, updated, ended, body, openDeliveries, seen, waits, gone] = reply;
  const fields = [version, created, updated, ended, body, openDeliveries] as const;
  return {
    instance: storedInstance({ tenant, saga, id }, fields),
    seen: seen === null ? (waits === 1 ? deferred : null) : inboxRecord(messageId, seen),
    tombstone: tombstone(gone),
  };
}

function tombstone(stones: readonly Stone[]): Tombstone | null {
  const last = stones.at(-1);
  if (last === undefined) return null;
  const starts = stones.flatMap(([, start]) => (start === '' ? [] : [start.slice(1)]));
  return { id: last[0], starts };
}

function inboxRecord(messageId: string, text: string): InboxRecord {
  const [outcome, reply] = JSON.parse(text) as [string, string | null];
  return { messageId, outcome, reply };
}
