import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import type { Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { TransportServer } from '@nestjs-orchestrator/nest/microservices';
import { expect, it } from 'vitest';
import { gate } from '../../orchestrator/support.js';

/** A server in a network, over a transport that does what a test says, and who else is there. */
function shop(over: (inner: Transport) => Transport) {
  const network = memoryNetwork();
  const inner = memoryTransport(network);
  const server = new TransportServer({ transport: over(inner), service: 'shop', endpoint: 'till' });
  const here = async (): Promise<string[]> => {
    const watcher = await inner.join(
      { cluster: 'nest-shop', endpoint: 'watcher', clock: systemClock, logger: silentLogger },
      { onFrame: () => undefined, onPeer: () => undefined },
    );
    const names = watcher.peers().map(({ endpoint }) => endpoint.name);
    await watcher.leave();
    return names;
  };
  return { server, here };
}

/** How `listen` went. */
const listening = (server: TransportServer): Promise<unknown> =>
  new Promise((resolve) => void server.listen(resolve));

it('a server that is closed while it begins to listen leaves the place that it gets', async () => {
  const door = gate();
  const { server, here } = shop((inner) => ({
    type: inner.type,
    join: (...args) => door.opened.then(() => inner.join(...args)),
  }));
  const began = listening(server);
  const closed = server.close();
  door.open();
  await closed;
  expect(await began).toMatchObject({ code: 'TRANSPORT_CLOSED' });
  expect(await here()).toEqual([]);
});

it('a server leaves though its name can not be given back', async () => {
  const unanswered = (seat: TransportSeat): TransportSeat =>
    Object.assign(seat, {
      unclaim: () => Promise.reject(new TransportUnavailableError('memory', 'nobody answers.')),
    });
  const { server, here } = shop((inner) => ({
    type: inner.type,
    join: async (...args) => unanswered(await inner.join(...args)),
  }));
  expect(await listening(server)).toBeUndefined();
  expect(await here()).toEqual(['till']);
  await server.close();
  expect(await here()).toEqual([]);
});
