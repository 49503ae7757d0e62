import type { ServerResponse } from 'node:http';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { MessageBus } from '@nestjs-orchestrator/nest';
import { invalid, Problem, problemDetails } from '../http/problem.js';
import { OrderBook } from './order-book.js';
import { OrderIntake } from './order-intake.js';
import { OrderCancelled } from './order.messages.js';
import { ApiNewOrder } from './order.examples.js';
import {
  newOrder,
  orderPage,
  orderPageQuery,
  orderView,
  type NewOrder,
  type OrderPage,
  type OrderPageQuery,
  type OrderView,
} from './order.schemas.js';

const refusal = (status: number, description: string): MethodDecorator =>
  ApiResponse({ status, description, standardSchema: problemDetails });

@ApiTags('orders')
@Controller('orders')
export class OrdersController {
  constructor(
    private readonly intake: OrderIntake,
    private readonly book: OrderBook,
    @Inject(MessageBus) private readonly bus: MessageBus,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Place an order' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'The same key with the same order is the same order: 8 to 200 printable characters.',
  })
  @ApiNewOrder()
  @ApiAcceptedResponse({ standardSchema: orderView, description: 'Durable, and on its way.' })
  @refusal(400, 'A field is wrong; the answer names it.')
  @refusal(409, 'The key was used for another order.')
  @refusal(413, 'The body is longer than 100 kB.')
  async place(
    @Body({ schema: newOrder }) order: NewOrder,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<OrderView> {
    const orderId = await this.intake.accept(order, checkedKey(key));
    response.setHeader('Location', `/orders/${orderId}`);
    return this.known(orderId);
  }

  @Get()
  @ApiOperation({ summary: 'Orders, newest first' })
  @ApiOkResponse({ standardSchema: orderPage })
  @refusal(400, 'A field of the query is wrong.')
  list(@Query({ schema: orderPageQuery }) query: OrderPageQuery): Promise<OrderPage> {
    return this.book.page(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One order: its state, what happened to it, what was undone' })
  @ApiOkResponse({ standardSchema: orderView })
  @refusal(404, 'There is no such order.')
  find(@Param('id') id: string): Promise<OrderView> {
    return this.known(id);
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @ApiOperation({ summary: 'Cancel an order that is not with the carrier yet' })
  @ApiAcceptedResponse({
    standardSchema: orderView,
    description: 'The wish is durable; see the order for what came of it.',
  })
  @refusal(404, 'There is no such order.')
  @refusal(409, 'The order has ended, or is with the carrier.')
  async cancel(@Param('id') id: string): Promise<OrderView> {
    const order = await this.known(id);
    if (!cancellable.has(order.state)) {
      const detail = `The order is ${order.state} and can't be cancelled any more.`;
      throw new Problem(409, 'NOT_CANCELLABLE', detail);
    }
    const event = new OrderCancelled({ orderId: id, reason: 'cancelled by the customer' });
    await this.bus.publish(event, { id: `cancel:${id}` });
    return this.known(id);
  }

  private async known(id: string): Promise<OrderView> {
    const order = ORDER_ID.test(id) ? await this.book.find(id) : undefined;
    if (order === undefined) throw new Problem(404, 'NO_SUCH_ORDER', `There is no order '${id}'.`);
    return order;
  }
}

/** Of any other text the database need not be asked. */
const ORDER_ID = /^[\w-]{1,64}$/;

const cancellable: ReadonlySet<string> = new Set(['accepted', 'awaitingPayment', 'awaitingInventory']);

function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[\x20-\x7e]{8,200}$/.test(key)) return key;
  throw invalid([{ field: 'Idempotency-Key', message: 'must have 8 to 200 printable ASCII characters' }]);
}
