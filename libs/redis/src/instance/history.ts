import type { InstanceRef, StoredHistory } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import type { Rooms } from '../naming/rooms.js';

/** What happened to an instance, oldest first. */
export async function history(
  connection: Connection,
  rooms: Rooms,
  { tenant, saga, id }: InstanceRef,
): Promise<readonly StoredHistory[]> {
  const key = rooms.of(tenant).history(saga, id);
  return (await connection.command((client) => client.lrange(key, 0, -1))).map(line);
}

/** A line is `version instant [fields]`. */
export function line(text: string): StoredHistory {
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  const [kind, name, messageId, from, to, detail] = JSON.parse(text.slice(second + 1)) as [
    string,
    string,
    string,
    string | null,
    string | null,
    string | null,
  ];
  const version = Number(text.slice(0, first));
  const at = Number(text.slice(first + 1, second));
  return { kind, name, messageId, from, to, detail, version, at };
}
