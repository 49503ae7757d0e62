import { redisStore } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { AT, by, entry, SAGA, state, TENANT } from '../typeorm/support.js';
import { twoNodes } from './support.js';

it('a page whose last instance is removed while it is read still says where the next one begins', async () => {
  const { prefix, rival, stores, close } = await twoNodes();
  onTestFinished(close);
  const proxy = await startTcpProxy(rival.options.port ?? 6379);
  onTestFinished(() => proxy.close());
  const client = new Redis({ host: '127.0.0.1', port: proxy.port, lazyConnect: true });
  const reader = redisStore(client, { prefix });
  await reader.start();
  onTestFinished(() => reader.close());

  const [store] = stores;
  for (const id of ['i-1', 'i-2', 'i-3', 'i-4'])
    await store.commit([entry(id, 0, { next: state({ status: 'completed', ended: true }) })], by());
  const filter = { tenant: TENANT, saga: SAGA, order: 'oldest', limit: 2 } as const;
  await reader.query(filter, AT); // the server has the scripts now
  // What is answered to the load of the page, i-2 and the one behind it that tells of a further page among it.
  const { held, letGo } = proxy.holdAnswerTo('i-3');
  const reading = reader.query(filter, AT);
  await held;
  const ref = { tenant: TENANT, saga: SAGA, id: 'i-2' };
  expect(await store.remove({ ref, expectedVersion: 1, archive: false, ...AT })).toBe('removed');
  letGo();

  const page = await reading;
  expect(page.items.map(({ id }) => id)).toEqual(['i-1', 'i-2']);
  const rest = await reader.query({ ...filter, cursor: page.next ?? '' }, AT);
  expect(rest.items.map(({ id }) => id)).toEqual(['i-3', 'i-4']);
});
