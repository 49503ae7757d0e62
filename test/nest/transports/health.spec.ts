import { Module } from '@nestjs/common';
import { ClientsModule } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { memoryNetwork, memoryStore, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { silentLogger, type Transport } from '@nestjs-orchestrator/core/ports';
import {
  MicroserviceRegistry,
  OrchestratorHealth,
  OrchestratorModule,
  type OrchestratorHealthResult,
} from '@nestjs-orchestrator/nest';
import { OrchestratorMetricsModule } from '@nestjs-orchestrator/nest/metrics';
import { TransportClient, TransportServer } from '@nestjs-orchestrator/nest/microservices';
import { filter, firstValueFrom, skipWhile } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import { testMeter } from '../../metrics/figures.js';
import { answer } from './service.js';
import { Diary, ShopController } from './shop.controller.js';

const SERVER = 'SHOP_SERVER';
const CLIENT = 'SHOP';

/** A transport whose next join waits, once it is told so. */
function gated(inner: Transport) {
  let opened = Promise.resolve();
  const transport: Transport = {
    type: inner.type,
    join: async (options, receiver) => {
      await opened;
      return inner.join(options, receiver);
    },
  };
  const holdJoins = (): (() => void) => {
    let open = (): void => undefined;
    opened = new Promise((resolve) => (open = resolve));
    return open;
  };
  return { transport, holdJoins };
}

/** A hybrid application that serves a shop and asks it, over a network in memory. */
async function application(isProvider: boolean) {
  const network = memoryNetwork();
  const { transport, holdJoins } = gated(memoryTransport(network));
  const { meter, figures } = testMeter();
  const server = new TransportServer({ transport, service: 'shop', endpoint: 'till' });
  const options = { transport: memoryTransport(network), service: 'shop', endpoint: 'desk' };

  @Module({
    imports: [
      OrchestratorModule.forRoot({ store: memoryStore(), logger: silentLogger }),
      OrchestratorMetricsModule.forRoot({ meter }),
      ClientsModule.register([{ name: CLIENT, customClass: TransportClient, options }]),
    ],
    controllers: [ShopController],
    providers: [Diary, ...(isProvider ? [{ provide: SERVER, useValue: server }] : [])],
  })
  class ShopModule {}

  const module = await Test.createTestingModule({ imports: [ShopModule] }).compile();
  const app = module.createNestApplication({ logger: false });
  app.connectMicroservice({ strategy: server });
  if (!isProvider) app.get(MicroserviceRegistry, { strict: false }).add(server);
  await app.init();
  await app.startAllMicroservices();
  onTestFinished(() => app.close());
  const health = app.get(OrchestratorHealth, { strict: false });
  const client = app.get<TransportClient>(CLIENT, { strict: false });
  return { app, server, client, health, figures, network, holdJoins };
}

type Checked = OrchestratorHealthResult<'orchestrator'>['orchestrator'];
const partOf = ({ microservices }: Checked, role: string) =>
  microservices?.find((part) => part.role === role);

it.each([true, false])(
  'health and metrics show servers and clients; the server is a provider: %s',
  async (is) => {
    const { app, client, health, figures } = await application(is);
    expect(partOf((await health.check()).orchestrator, 'client')).toMatchObject({
      place: 'none',
      servers: [],
    });
    const diary = app.get(Diary);
    const comes = diary.comes('asked');
    const letGo = diary.hold('asked');
    const asked = answer(client.send({ cmd: 'later', version: 2 }, { gate: 'asked' }));
    await comes;
    const { orchestrator } = await health.check();
    expect(orchestrator.status).toBe('up');
    expect(orchestrator.microservices).toHaveLength(2);
    const common = {
      service: 'shop',
      transport: 'memory',
      place: 'taken',
      rejoins: 0,
      suspect: [],
      waiting: 0,
    };
    expect(partOf(orchestrator, 'server')).toEqual({
      ...common,
      role: 'server',
      endpoint: 'till',
      up: ['desk'],
      inHand: 1,
      unanswered: 1,
    });
    expect(partOf(orchestrator, 'client')).toEqual({
      ...common,
      role: 'client',
      endpoint: 'desk',
      up: ['till'],
      servers: ['till'],
      requests: 1,
      events: 0,
    });
    const told = await figures();
    const { frames } = client.stats();
    const labels = '{role=client,service=shop,transport=memory}';
    expect(told).toMatchObject({
      [`orchestrator.microservice.frames_sent${labels}`]: frames.framesSent,
      [`orchestrator.microservice.bytes_received${labels}`]: frames.bytesReceived,
      [`orchestrator.microservice.servers.current${labels}`]: 1,
      'orchestrator.microservice.placed.current{role=server,service=shop,transport=memory}': 1,
    });
    expect(frames.framesSent).toBeGreaterThan(0);
    letGo();
    expect(await asked).toBe('after asked');
  },
);

it('a node is down while its server has no place, says why, and is up when it is back', async () => {
  const { server, health, network, holdJoins } = await application(true);
  const open = holdJoins();
  const lost = firstValueFrom(server.status.pipe(filter((status) => status === 'disconnected')));
  network.expel(server.unwrap().self);
  await lost;
  const { orchestrator } = await health.check();
  expect(orchestrator.status).toBe('down');
  expect(orchestrator.reason).toBe(
    "server 'till' of service 'shop' has lost its place over 'memory' and looks for another one",
  );
  expect(partOf(orchestrator, 'server')).toMatchObject({ place: 'lost', up: [] });
  const back = firstValueFrom(server.status.pipe(skipWhile((status) => status === 'disconnected')));
  open();
  await back;
  const after = (await health.check()).orchestrator;
  expect(after.status).toBe('up');
  expect(partOf(after, 'server')).toMatchObject({ place: 'taken', rejoins: 1 });
});

it('a server that stands still is named, and is not the trouble of who asks', async () => {
  const { client, server, health, network } = await application(true);
  await client.connect();
  const stalls = new Promise<void>((resolve) => {
    client.on('peer', ({ state }) => (state === 'suspect' ? resolve() : undefined));
  });
  network.stall(server.unwrap().self);
  onTestFinished(() => network.resume(server.unwrap().self));
  await stalls;
  const { orchestrator } = await health.check();
  expect(orchestrator.status).toBe('up');
  expect(partOf(orchestrator, 'client')).toMatchObject({ up: [], suspect: ['till'] });
});

it('every number of stats() is a metric', async () => {
  const { client, server, figures } = await application(true);
  await answer(client.send('sum', [1, 1]));
  const names = Object.keys(await figures()).filter((name) => name.includes('microservice'));
  const metrics = new Set(
    names.map((name) => name.replace(/^orchestrator\.microservice\.|\.current|\{.*/g, '')),
  );
  const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const numbers = [client.stats(), server.stats()].flatMap(({ frames, ...rest }) => [
    ...Object.keys(frames).filter((name) => name !== 'peers'),
    ...Object.entries(rest).flatMap(([name, value]) => (typeof value === 'number' ? [name] : [])),
  ]);
  expect(numbers.filter((name) => !metrics.has(snake(name)))).toEqual([]);
});

it('nothing but servers and clients can be added', async () => {
  const { app } = await application(true);
  const registry = app.get(MicroserviceRegistry, { strict: false });
  expect(() => registry.add({} as never)).toThrow(/takes a TransportServer or a TransportClient/);
});
