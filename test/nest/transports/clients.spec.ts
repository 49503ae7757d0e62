import { Test } from '@nestjs/testing';
import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { ClientClosedError, TransportClient } from '@nestjs-orchestrator/nest/microservices';
import { firstValueFrom } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { answer, failure, serviceOf } from './service.js';

function shop() {
  const network = memoryNetwork();
  const transport = () => memoryTransport(network);
  return { ...serviceOf({ transport, close: () => undefined }), transport };
}

it('a client that a factory makes is closed with its application', async () => {
  const { server, transport, service } = shop();
  await server();
  const module = await Test.createTestingModule({
    providers: [
      {
        provide: 'SHOP',
        useFactory: () => new TransportClient({ transport: transport(), service }),
      },
    ],
  }).compile();
  const app = await module.createNestApplication({ logger: false }).init();
  const client = app.get<TransportClient>('SHOP');
  expect(await answer(client.send('sum', [1, 1]))).toBe(2);
  expect(await firstValueFrom(client.status)).toBe('connected');
  await app.close();
  expect(await firstValueFrom(client.status)).toBe('disconnected');
});

it('nothing is sent for one who stopped listening while a server was looked for', async () => {
  const { server, transport, service } = shop();
  const held = looksHeld(transport());
  const client = new TransportClient({ transport: held.transport, service });
  onTestFinished(() => client.close());
  await client.connect();
  const look = held.holdNext();
  const asked = client.send({ cmd: 'later', version: 2 }, { gate: 'asked' }).subscribe();
  await look.begun;
  asked.unsubscribe();
  const { diary } = await server();
  let came = false;
  void diary.comes('asked').then(() => (came = true));
  look.goOn();
  expect(await answer(client.send('sum', [1, 1]))).toBe(2);
  expect(came).toBe(false);
});

it('a client that is closed while a packet waits for its connection stays closed', async () => {
  const { server, client } = shop();
  await server();
  const asker = client();
  const asked = failure(asker.send('sum', [1, 1]));
  await asker.close();
  expect(await asked).toBeInstanceOf(ClientClosedError);
  expect(await firstValueFrom(asker.status)).toBe('disconnected');
  expect(await answer(asker.send('sum', [1, 1]))).toBe(2);
});

/** A transport whose next look into the directory waits. */
function looksHeld(inner: Transport) {
  let gate: { readonly begun: () => void; readonly opened: Promise<void> } | undefined;
  const transport: Transport = {
    type: inner.type,
    async join(options, receiver) {
      const seat = await inner.join(options, receiver);
      const names = seat.names.bind(seat);
      seat.names = async () => {
        const held = gate;
        gate = undefined;
        held?.begun();
        await held?.opened;
        return names();
      };
      return seat;
    },
  };
  const holdNext = () => {
    let [begin, goOn] = [(): void => undefined, (): void => undefined];
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const opened = new Promise<void>((resolve) => (goOn = resolve));
    gate = { begun: begin, opened };
    return { begun, goOn };
  };
  return { transport, holdNext };
}
