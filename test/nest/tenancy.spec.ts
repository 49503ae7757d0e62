import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Module,
  NotFoundException,
  Param,
  Post,
  UnauthorizedException,
  type INestApplication,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  InjectSagaRepository,
  MessageBus,
  OrchestratorModule,
  SagaOperator,
  type SagaRepository,
  type TenantSource,
} from '@nestjs-orchestrator/nest';
import { afterEach, describe, expect, it } from 'vitest';
import { storeKinds, type StoreKind } from '../saga/support.js';
import { TicketModule } from './support/application.js';
import { LogLines } from './support/log-lines.js';
import { Desk, Opened, ticketSaga } from './support/ticket.js';

@Controller('tickets')
class TicketsController {
  constructor(
    @Inject(MessageBus) private readonly bus: MessageBus,
    @InjectSagaRepository(ticketSaga) private readonly tickets: SagaRepository<typeof ticketSaga>,
    @Inject(SagaOperator) private readonly operator: SagaOperator,
  ) {}

  @Post(':id/cancel')
  async cancel(@Param('id') id: string): Promise<{ status: string }> {
    const audit = { by: 'ada', reason: 'asked for' };
    const { status } = await this.operator.cancel({ saga: ticketSaga, id }, audit);
    return { status };
  }

  @Get('letters')
  async letters(): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const { id } of this.operator.deadLetters()) ids.push(id);
    return ids;
  }

  @Post()
  @HttpCode(202)
  async open(@Body() { ticketId }: { ticketId: string }): Promise<{ state: string }> {
    await this.bus.publish(new Opened({ ticketId }));
    const { state } = await this.tickets.waitUntil({ key: ticketId }, 'valid');
    return { state };
  }

  @Get(':id')
  async read(@Param('id') id: string): Promise<{ id: string; state: string; tenant: string }> {
    // What is awaited in between stays the request's.
    await Promise.resolve();
    const ticket = await this.tickets.findByCorrelation(id);
    if (ticket === undefined) throw new NotFoundException();
    return { id: ticket.id, state: ticket.state, tenant: ticket.tenant };
  }

  @Get()
  async list(): Promise<readonly string[]> {
    const { items } = await this.tickets.list();
    return items.map(({ data }) => data.ticketId);
  }
}

@Module({
  imports: [TicketModule, OrchestratorModule.forFeature([ticketSaga])],
  controllers: [TicketsController],
})
class TicketsModule {}

/** As an application would: from what its gateway has checked. */
function tenant(source: TenantSource): string | undefined {
  if (source.kind !== 'http') return undefined;
  const { 'x-tenant': header } = source.request.headers;
  if (header === 'stranger') throw new UnauthorizedException();
  return header as string | undefined;
}

let close = async (): Promise<void> => {};
afterEach(() => close());

async function serve(kind: StoreKind) {
  const { connect, close: closeStore } = await kind.open();
  const { store } = await connect();
  const options = { store, tenant, logger: new LogLines() };
  const module = await Test.createTestingModule({
    imports: [OrchestratorModule.forRoot(options), TicketsModule],
  }).compile();
  const app: INestApplication = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  close = async () => {
    await app.close();
    await closeStore();
  };
  const url = await app.getUrl();
  const ask = async (path: string, of?: string, body?: object) => {
    const headers = { 'content-type': 'application/json', ...(of === undefined ? {} : { 'x-tenant': of }) };
    const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, { headers, ...post });
    return { status: response.status, body: await response.json() };
  };
  return { ask, store, desk: app.get(Desk) };
}

describe.each(storeKinds)('the tenant of a request, on $kind', (kind) => {
  it('is the tenant of what it does, and finds nothing of others', async () => {
    const { ask } = await serve(kind);
    // The same key in two tenants is two tickets.
    for (const [of, ticketId] of [
      ['north', 't1'],
      ['south', 't1'],
      ['south', 't2'],
    ] as const)
      expect(await ask('/tickets', of, { ticketId })).toEqual({ status: 202, body: { state: 'valid' } });
    expect((await ask('/tickets/t1', 'north')).body).toMatchObject({ state: 'valid', tenant: 'north' });
    expect((await ask('/tickets/t1', 'south')).body).toMatchObject({ state: 'valid', tenant: 'south' });
    expect((await ask('/tickets/t2', 'north')).status).toBe(404);
    expect((await ask('/tickets/t1')).status).toBe(404);
    expect((await ask('/tickets', 'north')).body).toEqual(['t1']);
    expect((await ask('/tickets', 'south')).body).toEqual(['t2', 't1']);
    expect((await ask('/tickets')).body).toEqual([]);
  });

  it('is the tenant of what an operator does, and of the dead letters that he sees', async () => {
    const { ask, store, desk } = await serve(kind);
    let open = (): void => {};
    desk.open = new Promise((resolve) => (open = resolve));
    expect((await ask('/tickets', 'north', { ticketId: 't1' })).status).toBe(202);
    const { id } = (await ask('/tickets/t1', 'north')).body as { id: string };
    expect((await ask(`/tickets/${id}/cancel`, 'south', {})).status).toBe(500);
    expect((await ask(`/tickets/${id}/cancel`, 'north', {})).body).toEqual({ status: 'compensating' });
    open();
    const row = {
      tenant: 'north',
      destination: 'handler:x',
      id: 'l1',
      lane: null,
      payload: '{}',
      delayMs: 0,
    };
    await store.enqueue([row], { owner: 'n', leaseMs: 1_000, now: null });
    await store.buryWork(row, 'no use', { now: null });
    expect((await ask('/tickets/letters', 'south')).body).toEqual([]);
    expect((await ask('/tickets/letters', 'north')).body).toEqual(['l1']);
    expect((await ask('/tickets/letters')).body).toEqual(['l1']);
  });

  it('is refused where the resolver refuses, or names none', async () => {
    const { ask } = await serve(kind);
    expect((await ask('/tickets', 'stranger')).status).toBe(401);
    expect((await ask('/tickets', 'x'.repeat(201))).status).toBe(500);
  });
});
