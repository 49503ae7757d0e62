import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { ClientsModule, type ClientProviderOptions, type MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import {
  buildSaga,
  defineSaga,
  Handles,
  InjectSagaRepository,
  message,
  MessageBus,
  OrchestratorModule,
  type,
  type MessageContext,
  type SagaRepository,
} from '@nestjs-orchestrator/nest';
import {
  egress,
  ingress,
  type EgressBinding,
  type IngressBinding,
} from '@nestjs-orchestrator/nest/microservices';
import { z } from 'zod';
import { LogLines } from '../nest/support/log-lines.js';

const ref = z.object({ orderId: z.string() });
export class Placed extends message('brokers.placed', ref) {}
export class Charge extends message('brokers.charge', ref) {}
export class Charged extends message('brokers.charged', ref) {}

export const orderSaga = defineSaga({
  name: 'brokers-order',
  version: 1,
  data: type<{ orderId: string }>(),
  correlateBy: 'orderId',
  states: ['charging'],
  ends: { paid: 'success' },
  events: [Placed, Charged],
  sends: [Charge],
});

const behaviour = buildSaga(orderSaga, (saga) => {
  saga
    .initially()
    .when(Placed)
    .then((ctx) => {
      ctx.send(new Charge({ orderId: ctx.event.orderId }));
      return { orderId: ctx.event.orderId };
    })
    .transitionTo('charging');
  saga.during('charging').when(Charged).transitionTo('paid');
});

@Injectable()
export class Shop {
  constructor(
    @Inject(MessageBus) readonly bus: MessageBus,
    @InjectSagaRepository(orderSaga) readonly orders: SagaRepository<typeof orderSaga>,
  ) {}
}

/** Charges, in an application of its own. */
@Injectable()
export class Cashier {
  readonly charged: string[] = [];
  private readonly waiting = new Map<string, () => void>();

  /** Settles when it has charged that order. */
  has(orderId: string): Promise<void> {
    if (this.charged.includes(orderId)) return Promise.resolve();
    return new Promise((resolve) => this.waiting.set(orderId, resolve));
  }

  @Handles(Charge)
  charge({ message: { orderId }, publish }: MessageContext<Charge>): void {
    this.charged.push(orderId);
    publish(new Charged({ orderId }));
    this.waiting.get(orderId)?.();
  }
}

/** How the two applications talk. */
export interface Wire {
  /** Of the client that reaches the given application. */
  client(to: 'shop' | 'payments'): Omit<Extract<ClientProviderOptions, { transport?: unknown }>, 'name'>;
  /** How the given application listens. */
  listen(at: 'shop' | 'payments'): MicroserviceOptions;
  readonly ingress: IngressBinding;
  readonly egress: Pick<EgressBinding, 'confirms' | 'lossy' | 'record'>;
}

/** One of the applications, listening. */
export interface Party {
  readonly app: INestApplication;
  readonly lines: LogLines;
}

export async function shop(wire: Wire, store: InstanceStore = memoryStore()): Promise<Party> {
  const controller = ingress(wire.ingress, [Charged]);
  return party(wire, 'shop', store, {
    imports: [OrchestratorModule.forFeature([behaviour]), clients(wire, 'payments')],
    controllers: [controller],
    providers: [Shop, egress({ ...wire.egress, name: 'payments', client: 'payments', messages: [Charge] })],
  });
}

export async function payments(wire: Wire, store: InstanceStore = memoryStore()): Promise<Party> {
  return party(wire, 'payments', store, {
    imports: [OrchestratorModule.forFeature([]), clients(wire, 'shop')],
    controllers: [ingress(wire.ingress, [Charge])],
    providers: [Cashier, egress({ ...wire.egress, name: 'shop', client: 'shop', messages: [Charged] })],
  });
}

function clients(wire: Wire, to: 'shop' | 'payments'): DynamicModule {
  return ClientsModule.register([{ name: to, ...wire.client(to) } as ClientProviderOptions]);
}

async function party(
  wire: Wire,
  name: 'shop' | 'payments',
  store: InstanceStore,
  metadata: {
    imports: DynamicModule[];
    controllers: Type<unknown>[];
    providers: NonNullable<Parameters<typeof Test.createTestingModule>[0]['providers']>;
  },
): Promise<Party> {
  @Module({})
  class PartyModule {}
  const lines = new LogLines();
  const imports = [
    OrchestratorModule.forRoot({ store, logger: lines, retryDelayMs: 10 }),
    { module: PartyModule, ...metadata },
  ];
  const module = await Test.createTestingModule({ imports }).compile();
  const app = module.createNestApplication({ logger: false });
  app.connectMicroservice(wire.listen(name));
  await app.startAllMicroservices();
  await app.init();
  return { app, lines };
}
