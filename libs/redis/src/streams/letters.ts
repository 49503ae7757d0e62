import type { FrameLetter, LetterRange } from '@nestjs-orchestrator/core/ports';
import type { Redis } from 'ioredis';
import type { Connection } from '../connection/connection.js';
import { asUnavailable } from './access.js';
import type { ClusterKeys } from './cluster-keys.js';
import { settleScript } from './scripts.js';

type Row = readonly [id: Buffer, fields: readonly Buffer[]];

/** Whole ids only: the server would take a part of one for the first of several. */
const LETTER = /^\d{1,19}-\d{1,19}$/;

/** Frames that were given up, of each partition the oldest. */
export async function lettersOf(
  connection: Connection,
  keys: ClusterKeys,
  partitions: number,
  limit: number,
  of: LetterRange | undefined,
): Promise<readonly FrameLetter[]> {
  const wanted = of === undefined ? Array.from({ length: partitions }, (_, n) => n) : [of.partition];
  const from = of?.letter === undefined ? '-' : `(${of.letter}`;
  try {
    const all = await Promise.all(
      wanted.map(async (partition) => {
        const { letters } = keys.partition(partition);
        const rows = await connection.command(
          (client) =>
            (client as Redis).callBuffer('XRANGE', letters, from, '+', 'COUNT', limit) as Promise<Row[]>,
        );
        return rows.map((row) => letterOf(partition, row));
      }),
    );
    return all.flat().toSorted((a, b) => a.at - b.at);
  } catch (error) {
    throw asUnavailable(error);
  }
}

export async function settleLetter(
  connection: Connection,
  keys: ClusterKeys,
  partitions: number,
  { letter, partition }: Pick<FrameLetter, 'letter' | 'partition'>,
  how: 'replay' | 'discard',
): Promise<boolean> {
  const isThere = Number.isInteger(partition) && partition >= 0 && partition < partitions;
  if (!isThere || !LETTER.test(letter)) return false;
  const { stream, letters, frames } = keys.partition(partition);
  const call = { script: settleScript, keys: [stream, letters, frames], args: [letter, how] };
  try {
    return (await connection.run(call)) === 1;
  } catch (error) {
    throw asUnavailable(error);
  }
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
