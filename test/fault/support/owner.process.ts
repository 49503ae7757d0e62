import { OrchestratorError } from '@nestjs-orchestrator/core';
import { silentLogger, systemClock, type PartitionedSeat } from '@nestjs-orchestrator/core/ports';
import { redisStreams, type RedisStreamsOptions } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';

/** What an owner of partitions is told. */
export interface OwnerOrder {
  readonly url: string;
  readonly name: string;
  readonly options: RedisStreamsOptions;
}

/** What it tells: that it serves, or that it has handled a frame. */
export type OwnerWord = { readonly serves: string } | { readonly to: string; readonly text: string };

const { url, name, options } = JSON.parse(process.argv[2] ?? '{}') as OwnerOrder;
const redis = new Redis(url);
redis.on('error', () => undefined);
const transport = redisStreams(redis, options);
/** Settles when it is in the pipe, which outlives this process: what dies with it was not told, and is not done. */
const tell = (word: OwnerWord): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send?.(word, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });

/** Until it has a place: the server may be away at the moment. */
async function joined(): Promise<PartitionedSeat> {
  for (;;) {
    try {
      return await transport.join(
        { cluster: 'shop', endpoint: name, clock: systemClock, logger: silentLogger },
        { onFrame: () => undefined, onPeer: () => undefined },
      );
    } catch {
      await new Promise((resolve) => void systemClock.schedule(50, () => resolve(undefined)));
    }
  }
}

// Whoever was declared dead joins again.
for (;;) {
  const seat = await joined();
  try {
    await seat.serve({
      onGained: () => undefined,
      onLost: () => undefined,
      onFrame: (_owned, frame) => tell({ to: frame.name, text: Buffer.from(frame.bytes).toString() }),
    });
    await tell({ serves: name });
  } catch (error) {
    // Between joining and serving it was declared dead, or the server went away.
    if (!(error instanceof OrchestratorError)) throw error;
    await seat.leave();
  }
  await seat.closed;
}
