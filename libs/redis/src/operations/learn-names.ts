import type { SagaName } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { encode, joined } from '../naming/encode.js';

/** Adds names, and answers all of the same sagas. They belong to no tenant: a set of the store's own. */
export async function learnNames(
  connection: Connection,
  prefix: string,
  names: readonly SagaName[],
): Promise<readonly SagaName[]> {
  if (names.length === 0) return [];
  const key = `{${encode(prefix)}}:names`;
  const members = names.map(({ saga, version, kind, name }) => joined(saga, String(version), kind, name));
  const found = await connection.command(async (client) => {
    await client.sadd(key, ...members);
    return client.smembers(key);
  });
  const sagas = new Set(names.map(({ saga }) => saga));
  return found.map(nameOf).filter(({ saga }) => sagas.has(saga));
}

function nameOf(member: string): SagaName {
  const [saga = '', version = '', kind = '', name = ''] = member.split('/').map(decodeURIComponent);
  return { saga, version: Number(version), kind: kind as SagaName['kind'], name };
}
