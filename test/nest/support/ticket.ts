import { Inject, Injectable } from '@nestjs/common';
import {
  Handles,
  InjectSagaRepository,
  MessageBus,
  buildSaga,
  defineSaga,
  message,
  sagaDecorators,
  type,
  type CompensationContext,
  type ContextOf,
  type MessageContext,
  type SagaRepository,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { z } from 'zod';

const ref = z.object({ ticketId: z.string() });

export class Opened extends message('ticket.opened', ref) {}
export class Charge extends message('ticket.charge', ref) {}
export class Paid extends message('ticket.paid', ref) {}
export class Cancelled extends message('ticket.cancelled', ref) {}

export const ticketSaga = defineSaga({
  name: 'ticket',
  version: 1,
  data: type<{ ticketId: string; desk: string }>(),
  correlateBy: 'ticketId',
  states: ['paying', 'valid'],
  ends: { used: 'success', dropped: 'undo' },
  events: [Opened, Paid, Cancelled],
  compensations: { refund: ref },
});

const { Saga, StartedBy, On, After, Compensation } = sagaDecorators(ticketSaga);
type Ctx<M> = ContextOf<typeof ticketSaga, M>;

/** What is injected into the saga class. */
@Injectable()
export class Desk {
  readonly name = 'north';
  readonly refunds: string[] = [];
  /** Refunds wait for it. */
  open: Promise<void> = Promise.resolve();
}

@Saga()
export class TicketSaga {
  constructor(@Inject(Desk) private readonly desk: Desk) {}

  @StartedBy(Opened, { to: 'paying' })
  onOpened(ctx: StartContextOf<typeof ticketSaga, Opened>) {
    const { ticketId } = ctx.event;
    ctx.compensateWith('refund', { ticketId });
    ctx.send(new Charge({ ticketId }));
    return { ticketId, desk: this.desk.name };
  }

  @On(Paid, { during: 'paying', to: 'valid' })
  onPaid(_ctx: Ctx<Paid>) {}

  @After('1d', { during: 'valid', to: 'used' })
  onUsed(_ctx: Ctx<never>) {}

  @On(Cancelled, { during: ['paying', 'valid'], to: 'dropped' })
  onCancelled(_ctx: Ctx<Cancelled>) {}

  @Compensation('refund')
  async refund({ ticketId }: { ticketId: string }, _ctx: CompensationContext) {
    await this.desk.open;
    this.desk.refunds.push(ticketId);
  }
}

/** The same behaviour by the builder. */
export const builtTicket = buildSaga(ticketSaga, (saga) => {
  saga
    .initially()
    .when(Opened)
    .then((ctx) => {
      ctx.send(new Charge({ ticketId: ctx.event.ticketId }));
      return { ticketId: ctx.event.ticketId, desk: 'built' };
    })
    .transitionTo('paying');
  saga.during('paying').when(Paid).transitionTo('valid');
  saga.during('valid').after('1d').finalize('used');
  saga.duringAny().when(Cancelled).finalize('dropped');
  saga.compensate('refund', async () => {});
});

@Injectable()
export class Cashier {
  readonly charged: string[] = [];

  @Handles(Charge, { name: 'cashier.charge' })
  async charge(ctx: MessageContext<Charge>) {
    this.charged.push(ctx.message.ticketId);
    ctx.publish(new Paid({ ticketId: ctx.message.ticketId }));
  }
}

/** What an application's own service injects. */
@Injectable()
export class TicketService {
  constructor(
    @Inject(MessageBus) readonly bus: MessageBus,
    @InjectSagaRepository(ticketSaga) readonly tickets: SagaRepository<typeof ticketSaga>,
  ) {}

  open(ticketId: string): Promise<unknown> {
    return this.bus.publish(new Opened({ ticketId }));
  }
}
