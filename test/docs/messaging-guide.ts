import { Injectable, Module, type INestApplication } from '@nestjs/common';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
// oxlint-disable typescript/consistent-type-imports -- Nest injects by the classes
import {
  Handles,
  message,
  type MessageContext,
  MessageBus,
  OrchestratorModule,
  type SagaRepository,
} from '@nestjs-orchestrator/nest';
import { DataSource } from 'typeorm';
// oxlint-enable typescript/consistent-type-imports
import { z } from 'zod';
import { OrderCreated, OrderSaga, ProcessPayment, orderSaga } from './activities-guide.js';

class OrderPlaced extends message('order.placed', z.object({ orderId: z.string() })) {}
class PaymentProcessed extends message('payment.processed', z.object({ orderId: z.string() })) {}
class PaymentFailed extends message('payment.failed', z.object({ orderId: z.string() })) {}
class SendReport extends message('report.send', z.object({ report: z.string() })) {}
class Remind extends message('customer.remind', z.object({ orderId: z.string() })) {}
declare const store: InstanceStore;
declare const bus: MessageBus;
declare const orders: SagaRepository<typeof orderSaga>;
declare const priceOf: (sku: string) => number;
declare const app: INestApplication;
declare const urls: string[];

// #region at-once
OrchestratorModule.forRoot({ store, handleOnPublish: true });
// #endregion

// #region request
class Quote extends message('quote', z.object({ sku: z.string() })) {}
class Quoted extends message('quoted', z.object({ sku: z.string(), cents: z.int() })) {}

@Injectable()
export class Quotes {
  constructor(private readonly bus: MessageBus) {}

  @Handles(Quote)
  quote({ message: { sku }, reply }: MessageContext<Quote>) {
    reply(new Quoted({ sku, cents: priceOf(sku) }));
  }

  async centsOf(sku: string): Promise<number> {
    const quoted = await this.bus.request(new Quote({ sku }), { reply: Quoted, timeout: '5s' }); // an instance of Quoted
    return quoted.cents;
  }
}
// #endregion

export async function whatBecameOf(orderId: string, signal: AbortSignal): Promise<string> {
  // #region wait
  const order = await orders.waitUntil({ key: orderId }, ['charged', 'failed'], { timeout: '10s', signal });
  // #endregion
  return order.state;
}

// #region transaction
@Injectable()
export class OrderDesk {
  constructor(
    private readonly bus: MessageBus,
    private readonly dataSource: DataSource,
  ) {}

  /** The order's row, the saga and its first command: all of them, or none. */
  place(orderId: string, sku: string) {
    return this.dataSource.transaction(async (manager) => {
      await manager.query('INSERT INTO orders (id, sku) VALUES ($1, $2)', [orderId, sku]);
      const { sagas } = await this.bus.within(manager).handle(new OrderPlaced({ orderId }));
      return sagas[0]?.state;
    });
  }
}
// #endregion

export async function plan(orderId: string, report: string): Promise<void> {
  // #region schedule
  const everyMonday = { id: 'weekly-report', cron: '0 6 * * 1', timezone: 'Europe/Berlin' };
  await bus.schedule(new SendReport({ report }), everyMonday);
  await bus.schedule(new Remind({ orderId }), { in: '2h' });
  await bus.unschedule('weekly-report');
  // #endregion
}

// #region microservices
import { egress, ingress, rabbitMqIngress, rabbitMqRecord } from '@nestjs-orchestrator/nest/microservices';
import { ClientsModule, Transport, type RmqOptions } from '@nestjs/microservices';

const queue = (name: string): RmqOptions => ({
  transport: Transport.RMQ,
  options: { urls, queue: name, queueOptions: { durable: true } },
});

@Module({
  imports: [
    OrchestratorModule.forFeature([orderSaga]),
    ClientsModule.register([{ name: 'PAYMENTS', ...queue('payments') }]),
  ],
  controllers: [ingress(rabbitMqIngress, [PaymentProcessed, PaymentFailed])],
  providers: [
    OrderSaga,
    egress({
      name: 'payments',
      client: 'PAYMENTS',
      messages: [ProcessPayment],
      confirms: true,
      record: rabbitMqRecord,
    }),
  ],
})
export class OrdersModule {}

export async function listen(): Promise<void> {
  const { options } = queue('orders');
  app.connectMicroservice<RmqOptions>({ transport: Transport.RMQ, options: { ...options, noAck: false } });
  await app.startAllMicroservices();
}
// #endregion

// #region tenant
OrchestratorModule.forRoot({
  tenant: (source) => {
    if (source.kind !== 'http') return undefined;
    const { 'x-tenant': tenant } = source.request.headers;
    return typeof tenant === 'string' ? tenant : undefined;
  },
});
// #endregion

export { OrderCreated };
