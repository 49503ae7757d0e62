import { Logger } from '@nestjs/common';
import {
  ClientNats,
  ClientRedis,
  ClientRMQ,
  ClientTCP,
  ServerNats,
  ServerRedis,
  ServerRMQ,
  ServerTCP,
} from '@nestjs/microservices';
import { TransportClient, TransportServer } from '@nestjs-orchestrator/nest/microservices';
import { lastValueFrom, type Observable } from 'rxjs';
import { ourTransport, type Item, type PeerOrder, type Received, type Sender } from './wire.js';

Logger.overrideLogger(false);

const host = '127.0.0.1';
const patterns = ({ scope }: PeerOrder, index: number) => ({
  event: `${scope}.event.${index}`,
  question: `${scope}.question.${index}`,
});

function redisOptions({ addresses }: PeerOrder) {
  const { hostname, port } = new URL(addresses.redis);
  // Twice as many events per second as without it.
  return { host: hostname, port: Number(port), enableAutoPipelining: true };
}

function rmqOptions({ addresses, scope }: PeerOrder, index: number) {
  // As durable as its defaults: a queue of its own for each receiver, acknowledged when delivered.
  const queueOptions = { durable: false, autoDelete: true };
  // Without it a large event waits for the acknowledgement of a packet, 40 ms.
  const socketOptions = { connectionOptions: { noDelay: true } };
  const queue = `${scope}-${index}`;
  return { urls: [addresses.rabbitmq], queue, queueOptions, socketOptions, noAck: true };
}

/** What is needed of a strategy and of a client, whatever their events. */
interface Serving {
  listen(callback: (error?: unknown) => void): unknown;
  addHandler(pattern: string, handler: (item: Item) => Promise<unknown>, isEvent?: boolean): void;
}
interface Sending {
  connect(): Promise<unknown>;
  close(): unknown;
  emit(pattern: string, item: Item): Observable<unknown>;
  send(pattern: string, item: Item): Observable<Item>;
}

function serverOf(order: PeerOrder): Serving {
  const { carrier, index, addresses } = order;
  if (carrier === 'tcp') return new ServerTCP({ host, port: order.ports[index] as number });
  if (carrier === 'redis') return new ServerRedis(redisOptions(order));
  if (carrier === 'nats') return new ServerNats({ servers: [addresses.nats] });
  if (carrier === 'rabbitmq') return new ServerRMQ(rmqOptions(order, index));
  return new TransportServer({ transport: ourTransport(order), service: `${order.scope}-${index}` });
}

function clientOf(order: PeerOrder, index: number): Sending {
  const { carrier, addresses } = order;
  if (carrier === 'tcp') return new ClientTCP({ host, port: order.ports[index] as number });
  if (carrier === 'redis') return new ClientRedis(redisOptions(order));
  if (carrier === 'nats') return new ClientNats({ servers: [addresses.nats] });
  if (carrier === 'rabbitmq') return new ClientRMQ(rmqOptions(order, index));
  return new TransportClient({ transport: ourTransport(order), service: `${order.scope}-${index}` });
}

export async function receiveAtHandlers(order: PeerOrder, { onEvent }: Received): Promise<void> {
  const server = serverOf(order);
  const { event, question } = patterns(order, order.index);
  server.addHandler(event, async (item: Item) => onEvent(item), true);
  server.addHandler(question, async (item: Item) => item);
  await new Promise<void>((resolve, reject) => {
    server.listen((error: unknown) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

export async function sendByClient(order: PeerOrder, receivers: number): Promise<Sender> {
  const ends = Array.from({ length: receivers }, (_, index) => ({
    client: clientOf(order, index),
    ...patterns(order, index),
  }));
  await Promise.all(ends.map(({ client }) => client.connect()));
  const end = (index: number) => ends[index] as (typeof ends)[number];
  return {
    emit: (index, item) =>
      lastValueFrom(end(index).client.emit(end(index).event, item), { defaultValue: undefined }),
    ask: (index, item) => lastValueFrom(end(index).client.send(end(index).question, item)),
    close: () => Promise.all(ends.map(async ({ client }) => client.close())),
  };
}
