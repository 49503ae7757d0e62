// #region module
import { Module } from '@nestjs/common';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';

@Module({
  imports: [
    OrchestratorModule.forRoot({
      machines: { name: 'orders' },
      transport: {
        // Or the variable ORCHESTRATOR_TYPE; 'in-process' is always there.
        type: 'shared-memory',
        transports: { 'shared-memory': sharedMemory(), 'named-pipe': namedPipe() },
        cluster: 'shop',
      },
    }),
  ],
})
export class AppModule {}
// #endregion

// #region plain
import { createOrchestrator, OutcomeUnknownError } from '@nestjs-orchestrator/core';

export async function confirm(order: string): Promise<boolean> {
  const orchestrator = await createOrchestrator({
    name: 'orders',
    cluster: 'shop',
    type: 'named-pipe',
    transports: { 'named-pipe': namedPipe() },
  });
  try {
    const { reply } = await orchestrator.ref(order).request({ type: 'CONFIRM' }, { timeoutMs: 2_000 });
    return reply === true;
  } catch (error) {
    // Its process died in the middle: ask where the order is now before it is confirmed again.
    if (error instanceof OutcomeUnknownError) return false;
    throw error;
  } finally {
    await orchestrator.release();
  }
}
// #endregion

// #region gateway
import { gateway, type MachineAddress } from '@nestjs-orchestrator/core';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';

/** One line for all processes of a plant: `ORCHESTRATOR_TYPE=gateway` makes one of them the way to the other plants. */
export async function plant(name: string, redisUrl: string) {
  const orchestrator = await createOrchestrator({
    name: 'orders',
    cluster: name,
    transports: {
      'shared-memory': sharedMemory(),
      gateway: gateway({
        local: sharedMemory(),
        distributed: redisStreams(new Redis(redisUrl, { lazyConnect: true })),
        joins: 'company',
      }),
    },
    // Groups of other clusters that may come in.
    reachableFrom: ['company/orders', 'plant-2/orders'],
  });
  const press: MachineAddress = { cluster: 'plant-2', group: 'orders', machine: 'press-1' };
  return { orchestrator, press: orchestrator.ref(press) };
}
// #endregion

import { type ChannelGroup, defineMachine, type EventObject } from '@nestjs-orchestrator/core';
import { redisStore } from '@nestjs-orchestrator/redis';

const order = defineMachine(
  { id: 'order', initial: 'open', states: { open: { on: { PAY: 'paid' } }, paid: { entry: 'ship' } } },
  { actions: ['ship'] },
);
declare const actions: { ship(): void };

export async function distributed(redis: Redis) {
  // #region distributed
  const transports = { distributed: redisStreams(redis) };
  const orchestrator = await createOrchestrator({
    type: 'distributed',
    transports,
    cluster: 'shop',
    name: 'orders',
  });
  // #endregion
  return orchestrator;
}

export async function letters(
  orchestrator: ChannelGroup,
  isObsolete: (event: EventObject | undefined, why: string) => boolean,
) {
  // #region letters
  for await (const letter of orchestrator.deadLetters({ machine: 'order-1' })) {
    const { event, reason } = letter;
    if (isObsolete(event, reason)) await orchestrator.discardLetter(letter, { by: 'ada', reason });
    else await orchestrator.replayLetter(letter, { by: 'ada' });
  }
  // #endregion
}

export async function durable(redis: Redis, payment: { id: string }) {
  // #region durable
  const store = redisStore(redis);
  await store.start();
  const transports = { distributed: redisStreams(redis) };
  const orchestrator = await createOrchestrator({ type: 'distributed', transports, store, name: 'orders' });
  orchestrator.register(order, { actions });
  await orchestrator.spawn(order, { id: 'order-1', durable: true });
  await orchestrator.ref('order-1').send({ type: 'PAY' }, { messageId: payment.id });
  // #endregion
}

// #region microservices
import { ClientsModule } from '@nestjs/microservices';
import { NestFactory } from '@nestjs/core';
import { TransportClient, TransportServer } from '@nestjs-orchestrator/nest/microservices';

/** The one line that differs: `namedPipe()`, `sharedMemory()` or `redisStreams(redis)`. */
const transport = namedPipe();

@Module({
  imports: [
    ClientsModule.register([
      { name: 'PAYMENTS', customClass: TransportClient, options: { transport, service: 'payments' } },
    ]),
  ],
})
export class OrdersModule {}

/** In the other process: its `@MessagePattern` and `@EventPattern` controllers stay as they are. */
export async function servePayments(payments: object): Promise<void> {
  const app = await NestFactory.create(payments);
  app.connectMicroservice({ strategy: new TransportServer({ transport, service: 'payments' }) });
  app.enableShutdownHooks();
  await app.startAllMicroservices();
}
// #endregion
