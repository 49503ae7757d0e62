import { TransportClosedError } from '@nestjs-orchestrator/core';
import { systemClock, silentLogger } from '@nestjs-orchestrator/core/ports';
import { redisStreams, type RedisStreamsOptions } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';

/** A node that a frame with the text `poison` ends, as a fault in native code would. */
const { url, name, options } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly url: string;
  readonly name: string;
  readonly options: RedisStreamsOptions;
};
const redis = new Redis(url);
const transport = redisStreams(redis, options);

// Whoever was declared dead, being slow, joins again.
for (;;) {
  const seat = await transport.join(
    { cluster: 'shop', endpoint: name, clock: systemClock, logger: silentLogger },
    { onFrame: () => undefined, onPeer: () => undefined },
  );
  try {
    await seat.serve({
      onGained: () => undefined,
      onLost: () => undefined,
      onFrame: async (_owned, { bytes, name: to }) => {
        const text = Buffer.from(bytes).toString();
        if (text === 'poison') process.kill(process.pid, 'SIGKILL');
        // What comes after the poison does not get done before it has struck.
        await new Promise((resolve) => void setImmediate(resolve));
        process.send?.(`${to}: ${text}`);
      },
    });
  } catch (error) {
    // Between joining and serving it was declared dead.
    if (!(error instanceof TransportClosedError)) throw error;
  }
  await seat.closed;
}
