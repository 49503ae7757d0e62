import { expect, it } from 'vitest';
import { startProcess } from '../support/processes.js';
import { redisNamespace } from '../support/redis.js';
import { bytes, clientOf, joined } from './streams-support.js';

it('a frame that ends each process that has it becomes a letter, and takes no other frame with it', async () => {
  const { url, prefix } = redisNamespace();
  const options = { prefix, partitions: 1, leaseMs: 600, maxAttempts: 2 };
  // It only publishes and looks on: however slow this process is, it keeps its place.
  const a = await joined('a', clientOf(url), { ...options, leaseMs: 600_000 });
  for (const text of ['1', 'poison', '2', '3']) await a.seat.publish(`m-${text}`, bytes(text));
  const handled: string[] = [];
  // The first two die of it among others, the third one has it alone and counted, the fourth one finds that it was too often.
  for (let n = 0; n < 3; n += 1) {
    const node = startProcess(import.meta.url, './poison-node.process.ts', {
      url,
      name: `node-${n}`,
      options,
    });
    await node.ended;
  }
  const last = startProcess(import.meta.url, './poison-node.process.ts', { url, name: 'last', options });
  while (!handled.includes('m-3: 3')) handled.push(await last.next<string>());
  expect(handled).toContain('m-2: 2');
  const [letter, ...others] = await a.seat.letters();
  expect(others).toEqual([]);
  expect(Buffer.from(letter?.bytes ?? []).toString()).toBe('poison');
});
