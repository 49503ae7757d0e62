import { ServerLostError, type TransportClient } from '@nestjs-orchestrator/nest/microservices';
import { systemClock, silentLogger } from '@nestjs-orchestrator/core/ports';
import { filter, firstValueFrom, lastValueFrom, skipWhile } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { answer, failure, noAnswer, serviceOf } from './service.js';
import { strategies } from './strategies.js';

const withExpulsion = strategies.filter(({ name }) => ['memory', 'redis streams'].includes(name));

/** Settles when the strategy has lost its place and found another one. */
function back(strategy: { status: TransportClient['status'] }): Promise<unknown> {
  return firstValueFrom(
    strategy.status.pipe(
      skipWhile((status) => status !== 'disconnected'),
      filter((status) => status === 'connected'),
    ),
  );
}

/** Settles when the client has heard that somebody is lost. */
function hearsOfLoss(client: TransportClient): Promise<void> {
  return new Promise((resolve) =>
    client.on('peer', ({ state }) => (state === 'lost' ? resolve() : undefined)),
  );
}

describe.each(withExpulsion)('over $name, whose server may take the place of one that lives,', ({ open }) => {
  function shop() {
    const strategy = open();
    const { transport, expel = () => undefined } = strategy;
    return { ...serviceOf(strategy), transport, expel };
  }

  it('a server that lost its place is back by itself, for requests and events', async () => {
    const { server, client, expel } = shop();
    const { strategy, diary } = await server({ endpoint: 'till' });
    const asker = client();
    expect(await answer(asker.send('sum', [1, 1]))).toBe(2);
    const again = Promise.all([back(strategy), hearsOfLoss(asker)]);
    expel(strategy.unwrap());
    await again;
    expect(await answer(asker.send('sum', [1, 2]))).toBe(3);
    await lastValueFrom(asker.emit('placed', { id: 1 }), noAnswer);
    await diary.has(1);
    expect(strategy.unwrap().self.name).toBe('till');
  });

  it('a client that lost its place fails what was open, and takes another one with the next packet', async () => {
    const { server, client, expel } = shop();
    const { diary } = await server();
    const asker = client();
    const comes = diary.comes('stuck');
    const letGo = diary.hold('stuck');
    const asked = failure(asker.send({ cmd: 'later', version: 2 }, { gate: 'stuck' }));
    await comes;
    expel(asker.unwrap());
    expect(await asked).toBeInstanceOf(ServerLostError);
    letGo();
    expect(await answer(asker.send('sum', [1, 2]))).toBe(3);
    await lastValueFrom(asker.emit('placed', { id: 1 }), noAnswer);
    await diary.has(1);
  });

  it('a server that is closed while it has no place stays away', async () => {
    const { server, expel, transport, cluster } = shop();
    const { strategy, stop } = await server();
    const seat = strategy.unwrap();
    expel(seat);
    await seat.closed;
    await stop();
    const watcher = await transport().join(
      { cluster, endpoint: 'watcher', clock: systemClock, logger: silentLogger },
      { onFrame: () => undefined, onPeer: () => undefined },
    );
    expect(await watcher.names()).toEqual([]);
    await watcher.leave();
  });
});
