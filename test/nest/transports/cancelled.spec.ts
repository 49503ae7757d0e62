import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { expect, it } from 'vitest';
import { gate } from '../../orchestrator/support.js';
import { turns } from '../../orchestrator/transport/support.js';
import { answer, serviceOf } from './service.js';

/** A service whose server reads a request when the test says so. */
function shop() {
  const network = memoryNetwork();
  const service = serviceOf({ transport: () => memoryTransport(network), close: () => undefined });
  const [reads, mayRead] = [gate(), gate()];
  const deserializer = {
    async deserialize(packet: { readonly pattern: string }): Promise<unknown> {
      if (packet.pattern !== 'sum') {
        reads.open();
        await mayRead.opened;
      }
      return packet;
    },
  };
  return { ...service, network, reads, mayRead, deserializer };
}

it('a request that is cancelled while the server reads it is not begun', async () => {
  const { server, client, reads, mayRead, deserializer } = shop();
  const { strategy, diary, stop } = await server({ deserializer });
  const asker = client();
  const asked = asker.send('forever', 'endless').subscribe();
  await reads.opened;
  asked.unsubscribe();
  // Behind the word that nobody waits any more.
  expect(await answer(asker.send('sum', [1, 1]))).toBe(2);
  mayRead.open();
  await turns();
  expect([diary.begun, diary.stopped]).toEqual([[], []]);
  await stop();
  expect(strategy.stats()).toMatchObject({ inHand: 0, unanswered: 0 });
});

it('a request whose client dies while the server reads it is not begun', async () => {
  const { server, client, network, reads, mayRead, deserializer } = shop();
  const { strategy, diary, stop } = await server({ deserializer });
  const asker = client();
  asker.send('forever', 'endless').subscribe({ error: () => undefined });
  await reads.opened;
  const lost = new Promise<void>((resolve) => {
    strategy.on('peer', ({ state }) => (state === 'lost' ? resolve() : undefined));
  });
  network.lose(asker.unwrap().self);
  await lost;
  mayRead.open();
  await turns();
  expect(diary.begun).toEqual([]);
  await stop();
  expect(strategy.stats()).toMatchObject({ inHand: 0, unanswered: 0 });
});

it('answers that come when nobody waits any more are not begun', async () => {
  const { server, client } = shop();
  const { strategy, diary, stop } = await server();
  const asker = client();
  const comes = diary.comes('late');
  const letGo = diary.hold('late');
  const asked = asker.send('forever later', 'late').subscribe();
  await comes;
  asked.unsubscribe();
  expect(await answer(asker.send('sum', [1, 1]))).toBe(2);
  letGo();
  await turns();
  expect([diary.begun, diary.stopped]).toEqual([[], []]);
  await stop();
  expect(strategy.stats()).toMatchObject({ inHand: 0, unanswered: 0 });
});
