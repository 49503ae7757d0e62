import type { FrameLetter } from '@nestjs-orchestrator/core/ports';
import type { Redis } from 'ioredis';
import type { Connection } from '../connection/connection.js';
import type { ClusterKeys } from './cluster-keys.js';
import { settleScript } from './scripts.js';

type Row = readonly [id: Buffer, fields: readonly Buffer[]];

/** Frames that were given up, of each partition the oldest. */
export async function lettersOf(
  connection: Connection,
  keys: ClusterKeys,
  partitions: number,
  limit: number,
): Promise<readonly FrameLetter[]> {
  const all = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const { letters } = keys.partition(partition);
      const rows = await connection.command(
        (client) =>
          (client as Redis).callBuffer('XRANGE', letters, '-', '+', 'COUNT', limit) as Promise<Row[]>,
      );
      return rows.map((row) => letterOf(partition, row));
    }),
  );
  return all.flat().toSorted((a, b) => a.at - b.at);
}

export async function settleLetter(
  connection: Connection,
  keys: ClusterKeys,
  { letter, partition }: Pick<FrameLetter, 'letter' | 'partition'>,
  how: 'replay' | 'discard',
): Promise<boolean> {
  const { stream, letters, frames } = keys.partition(partition);
  const call = { script: settleScript, keys: [stream, letters, frames], args: [letter, how] };
  return (await connection.run(call)) === 1;
}

function letterOf(partition: number, [id, fields]: Row): FrameLetter {
  const letter = id.toString();
  return {
    letter,
    partition,
    name: String(fields[1]),
    bytes: fields[3] as Buffer,
    reason: String(fields[5]),
    attempts: Number(fields[7]),
    at: Number(letter.split('-')[0]),
  };
}
