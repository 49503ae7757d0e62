import { Injectable } from '@nestjs/common';
import { InjectSagaRepository, type SagaInstance, type SagaRepository } from '@nestjs-orchestrator/nest';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { orderSaga } from './order.saga.js';
import type { OrderItem, OrderPage, OrderPageQuery, OrderSummary, OrderView } from './order.schemas.js';

type Instance = SagaInstance<typeof orderSaga>;

interface Row {
  readonly seq: string;
  readonly order_id: string;
  readonly customer_id: string;
  readonly items: OrderItem[];
  readonly cents: number;
  readonly created_at: Date;
}

/** Reads orders: what was accepted, and how far its saga has come. */
@Injectable()
export class OrderBook {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectSagaRepository(orderSaga) private readonly sagas: SagaRepository<typeof orderSaga>,
  ) {}

  async find(orderId: string): Promise<OrderView | undefined> {
    const [row] = await this.dataSource.query<Row[]>(`SELECT * FROM shop.orders WHERE order_id = $1`, [
      orderId,
    ]);
    if (row === undefined) return undefined;
    const saga = await this.sagas.findByCorrelation(orderId);
    const history = saga === undefined ? [] : await this.sagas.history(saga.id);
    return {
      ...summary(row, saga),
      items: row.items,
      data: saga === undefined ? null : { ...saga.data },
      history: history.map(({ at, kind, name, from, to }) => ({
        at: at.toISOString(),
        kind,
        name,
        from,
        to,
      })),
      undone: (saga?.undo ?? [])
        .filter((step) => step.status === 'done')
        .map((step) => step.name)
        .reverse(),
    };
  }

  async page({ limit, cursor }: OrderPageQuery): Promise<OrderPage> {
    const rows = await this.dataSource.query<Row[]>(
      `SELECT * FROM shop.orders WHERE $1::bigint IS NULL OR seq < $1 ORDER BY seq DESC LIMIT $2`,
      [cursor ?? null, limit + 1],
    );
    const shown = rows.slice(0, limit);
    const items = await Promise.all(
      shown.map(async (row) => summary(row, await this.sagas.findByCorrelation(row.order_id))),
    );
    return { items, next: rows.length > limit ? (shown.at(-1)?.seq ?? null) : null };
  }
}

function summary(row: Row, saga: Instance | undefined): OrderSummary {
  return {
    orderId: row.order_id,
    customerId: row.customer_id,
    cents: row.cents,
    state: saga?.state ?? 'accepted',
    status: saga?.status ?? 'running',
    createdAt: row.created_at.toISOString(),
  };
}
