// One of the other processes of the family's suite, over Redis Streams.
import { createOrchestrator } from '@nestjs-orchestrator/core';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { serveFamily } from '@nestjs-orchestrator/testing';
import { Redis } from 'ioredis';

/** Where the cluster of a case is. */
export interface FamilyPlace {
  readonly url: string;
  readonly prefix: string;
  readonly leaseMs: number;
}

let client: Redis | undefined;

serveFamily({
  create(options, place) {
    const { url, ...streams } = place as FamilyPlace;
    // All cases are on one server.
    if (client === undefined) {
      client = new Redis(url);
      client.on('error', () => undefined);
    }
    const transports = { distributed: redisStreams(client, { partitions: 4, ...streams }) };
    return createOrchestrator({ ...options, type: 'distributed', transports });
  },
  post: (message) => void process.send?.(message),
  listen: (listener) => void process.on('message', listener),
});
