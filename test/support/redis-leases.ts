import type { Redis } from 'ioredis';

/**
 * Ends the leases of a process that was killed, as time would, in all clusters of a prefix: the others look again at once. So leases can be longer than any process
 * that lives stands still, and nobody waits for one.
 */
export async function endLeasesOf(pid: number, redis: Redis, prefix: string): Promise<void> {
  for (const tag of await clustersOf(redis, prefix)) {
    const nodes = await redis.hgetall(`${tag}:nodes`);
    const ending = redis.multi();
    for (const [incarnation, about] of Object.entries(nodes)) {
      const [, of] = JSON.parse(about) as readonly unknown[];
      if (of === pid) ending.zadd(`${tag}:until`, 'XX', 0, incarnation);
    }
    await ending.hset(`${tag}:pulse`, 'grace', 0).publish(`${tag}:hints`, '1').exec();
  }
}

/** In a new cluster, and where all stood still, nobody counts as dead for as long as the lease of whoever gives the first sign of life: ends that. */
export async function endGrace(redis: Redis, prefix: string): Promise<void> {
  for (const tag of await clustersOf(redis, prefix)) await redis.hset(`${tag}:pulse`, 'grace', 0);
}

/** What the keys of each cluster begin with. Keepers of durable machines are in two: they have their partitions in one of its own. */
async function clustersOf(redis: Redis, prefix: string): Promise<readonly string[]> {
  const found = await redis.keys(`{${encodeURIComponent(prefix)}/*}:nodes`);
  return found.map((key) => key.slice(0, key.lastIndexOf(':')));
}
