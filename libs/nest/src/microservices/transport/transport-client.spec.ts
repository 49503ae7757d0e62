import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import {
  silentLogger,
  systemClock,
  type Transport,
  type TransportSeat,
} from '@nestjs-orchestrator/core/ports';
import { lastValueFrom } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { TransportClient } from './transport-client.js';
import { ClientClosedError } from './transport-errors.js';
import { clusterOf, SERVER_NAME } from './transport-options.js';

/** What is ready to go on has gone on, so many steps of it. */
async function steps(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
}

/** A transport whose first two places are lost so many steps after who has it begins to look for servers, which takes some steps itself. */
function lost(after: number): { readonly transport: Transport; readonly places: TransportSeat[] } {
  const network = memoryNetwork();
  const places: TransportSeat[] = [];
  const { type, join } = memoryTransport(network);
  const transport: Transport = {
    type,
    async join(...wishes) {
      const seat = await join(...wishes);
      places.push(seat);
      if (places.length > 2) return seat;
      const look = seat.names.bind(seat);
      const names: TransportSeat['names'] = async () => {
        void steps(after).then(() => network.expel(seat.self));
        await steps(4);
        return look();
      };
      return Object.assign(seat, { names });
    },
  };
  return { transport, places };
}

it.each(Array.from({ length: 24 }, (_, n) => n))(
  'a client whose place is lost while it takes it, after %i steps, takes another one',
  async (after) => {
    const { transport, places } = lost(after);
    const client = new TransportClient({ transport, service: 'shop' });
    onTestFinished(() => client.close());
    const asked = lastValueFrom(client.send('sum', [1, 2]));
    // Nobody serves, wherever it has looked.
    await expect(asked).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    while (places.length < 3) {
      await steps(50);
      const next = lastValueFrom(client.send('sum', [1, 2]));
      await expect(next).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    }
    expect(client.unwrap().self).toEqual(places[2]?.self);
  },
);

it('a client that is opened again while it closes leaves the one place before it takes the other, and keeps that', async () => {
  const network = memoryNetwork();
  const { type, join } = memoryTransport(network);
  const places: TransportSeat[] = [];
  const opens: (() => void)[] = [];
  const transport: Transport = {
    type,
    async join(...wishes) {
      await new Promise<void>((resolve) => opens.push(resolve));
      const seat = await join(...wishes);
      places.push(seat);
      return seat;
    },
  };
  const client = new TransportClient({ transport, service: 'shop', endpoint: 'asker' });
  onTestFinished(() => client.close());
  const first = client.connect();
  await steps(10);
  const closed = client.close();
  const again = client.connect();
  const asked = lastValueFrom(client.send('sum', [1, 2]));
  await steps(50);
  expect(opens).toHaveLength(1);
  opens[0]?.();
  await Promise.all([first, closed]);
  await steps(10);
  opens[1]?.();
  await again;
  await expect(asked).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(client.unwrap().self).toEqual(places[1]?.self);
  expect(client.unwrap().peers()).toEqual([]);
});

it.each(Array.from({ length: 40 }, (_, n) => n))(
  'a request fails where its client is closed %i steps after it was sent',
  async (after) => {
    const transport = memoryTransport(memoryNetwork());
    const deaf = await transport.join(
      { cluster: clusterOf('shop'), endpoint: 'deaf', clock: systemClock, logger: silentLogger },
      { onFrame: () => undefined, onPeer: () => undefined },
    );
    await deaf.claim(`${SERVER_NAME}deaf`, 'shop');
    const client = new TransportClient({ transport, service: 'shop' });
    if (after % 2 === 1) await client.connect();
    let end: unknown;
    client.send('sum', [1, 2]).subscribe({ error: (error: unknown) => (end = error) });
    await steps(Math.floor(after / 2));
    await client.close();
    await steps(50);
    expect(end).toBeInstanceOf(ClientClosedError);
    await deaf.leave();
  },
);
