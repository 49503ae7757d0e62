import { ClientProxyFactory, RmqRecordBuilder, Transport } from '@nestjs/microservices';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { StoreUnavailableError } from '@nestjs-orchestrator/nest';
import { rabbitMqIngress, rabbitMqRecord } from '@nestjs-orchestrator/nest/microservices';
import { lastValueFrom } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rabbitMq, type Broker } from './rabbitmq-server.js';
import { Cashier, payments, Placed, Shop, shop, type Party, type Wire } from './shop.js';

let broker: Broker;
beforeAll(async () => {
  broker = await rabbitMq();
});
afterAll(() => broker?.close());

let parties: Party[] = [];
afterEach(async () => {
  await Promise.all(parties.map(({ app }) => app.close()));
  parties = [];
});

const runId = `${process.pid}-${Date.now().toString(36)}`;
let scenes = 0;

/** Queues of their own for each test, on whatever broker. */
function rabbit(): Wire & { readonly queue: (of: string) => string } {
  const scene = `${runId}-${(scenes += 1)}`;
  const queue = (of: string): string => `orch-test-${scene}-${of}`;
  const options = (of: string) => ({ urls: [broker.url], queue: queue(of), queueOptions: { durable: true } });
  return {
    queue,
    client: (to) => ({ transport: Transport.RMQ, options: options(to) }),
    listen: (at) => ({ transport: Transport.RMQ, options: { ...options(at), noAck: false } }),
    ingress: rabbitMqIngress,
    egress: { confirms: true, record: rabbitMqRecord },
  };
}

async function both(wire: Wire, store = memoryStore()) {
  const there = await payments(wire, store);
  const here = await shop(wire);
  parties = [here, there];
  const { bus, orders } = here.app.get(Shop);
  return { here, there, bus, orders, cashier: there.app.get(Cashier) };
}

/** Offers a message to the payments' queue as a foreign application would. */
async function offer(wire: ReturnType<typeof rabbit>, body: object, messageId?: string): Promise<void> {
  const { client } = wire;
  const proxy = ClientProxyFactory.create(client('payments') as never);
  const options = messageId === undefined ? { persistent: true } : { persistent: true, messageId };
  await lastValueFrom(proxy.emit('brokers.charge', new RmqRecordBuilder(body).setOptions(options).build()), {
    defaultValue: undefined,
  });
  proxy.close();
}

const said = ({ lines }: Party): string => lines.all.map((line) => line.message).join('\n');

describe('two applications over RabbitMQ', () => {
  it('bring an order to its end, each charge once, and say what they promise', async () => {
    const { bus, orders, cashier, here, there } = await both(rabbit());
    const ids = Array.from({ length: 20 }, (_, n) => `o${n}`);
    await Promise.all(ids.map((orderId) => bus.publish(new Placed({ orderId }))));
    for (const key of ids) await orders.waitUntil({ key }, 'paid', { timeout: '4m' });
    expect(cashier.charged.toSorted()).toEqual(ids.toSorted());
    expect(said(there)).toMatch(/Ingress 'rabbitmq': a message is acknowledged after its commit/);
    expect(said(here)).toMatch(/Egress 'payments': .* confirmed it/);
  });

  it('know a message that is offered twice by its id, and refuse for good what has none or is no such message', async () => {
    const wire = rabbit();
    const { cashier, there } = await both(wire);
    await offer(wire, { orderId: 'o1' }, 'm1');
    await offer(wire, { orderId: 'o1' }, 'm1');
    await offer(wire, { orderId: 'nameless' });
    await offer(wire, { order: 7 }, 'm2');
    await offer(wire, { orderId: 'last' }, 'm3');
    await cashier.has('last');
    expect(cashier.charged).toEqual(['o1', 'last']);
    const faults = there.lines.all.filter(({ level }) => level === 'error').map((line) => line.message);
    expect(faults).toEqual([
      expect.stringMatching(/without an id/),
      expect.stringMatching(/does not fit its schema: orderId/),
    ]);
  });

  it('take a message again that came while the store was away', async () => {
    const wire = rabbit();
    const store = memoryStore();
    const { enqueue } = store;
    let refused = 0;
    store.enqueue = (...args) =>
      args[0].some(({ destination }) => destination.startsWith('handler:')) && refused++ === 0
        ? Promise.reject(new StoreUnavailableError('away'))
        : enqueue.apply(store, args);
    const { bus, orders, cashier } = await both(wire, store);
    await bus.publish(new Placed({ orderId: 'o1' }));
    await orders.waitUntil({ key: 'o1' }, 'paid', { timeout: '4m' });
    expect([refused, cashier.charged]).toEqual([2, ['o1']]);
  });
});
