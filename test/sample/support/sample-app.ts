import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DataSource } from 'typeorm';
import { createApp } from '../../../apps/sample/src/app.js';
import { settings } from '../../../apps/sample/src/config/settings.js';
import { openDataSource } from '../../../apps/sample/src/database/data-source.js';
import type { NewOrder, OrderView } from '../../../apps/sample/src/orders/order.schemas.js';
import { balance, type Balance } from '../../../apps/sample/src/totals/balance.js';
import { readBooks } from '../../../apps/sample/src/totals/totals.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { LeapingClock } from './leaping-clock.js';
import { LogLines } from './log-lines.js';

/** An answer of the API. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** What `POST /orders` may be given. */
export type OrderRequest = Omit<Partial<NewOrder>, 'simulate'> & { simulate?: Partial<NewOrder['simulate']> };

/** One for all: Nest's logger is static, the application that was made last has it. */
const log = new LogLines();

/** The sample application, listening on a free port, on a database of its own. */
export class SampleApp {
  readonly log = log;
  readonly clock = new LeapingClock();
  url = '';
  private constructor(
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
  ) {}
  private app: NestExpressApplication | undefined;

  /** `timeouts`: of `timeouts.js`, which the spec imports first. */
  static async start(timeouts: { readonly CARRIER_TIMEOUT: string }): Promise<SampleApp> {
    if (settings.carrierTimeout !== timeouts.CARRIER_TIMEOUT)
      throw new Error('The time-outs are imported after the application; import them first.');
    const database = await createTestDatabase();
    const sample = new SampleApp(database, await openDataSource(database.url));
    await sample.boot();
    return sample;
  }

  async boot(): Promise<void> {
    this.app = await createApp(this.database.url, this.log, {
      clock: this.clock,
      // Handlers write no line when they have committed.
      faults: { reach: () => this.log.ring() },
    });
    await this.app.listen(0, '127.0.0.1');
    this.url = await this.app.getUrl();
  }

  get nest(): NestExpressApplication {
    if (this.app === undefined) throw new Error('The application is not started.');
    return this.app;
  }

  async stop(): Promise<void> {
    await this.app?.close();
    await this.dataSource.destroy();
    await this.database.drop();
  }

  async send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as T };
  }

  place(order: OrderRequest = {}, headers: Record<string, string> = {}): Promise<Answer<OrderView>> {
    const body = { customerId: 'ada', items: [{ sku: 'book', quantity: 2 }], ...order };
    return this.send('POST', '/orders', body, headers);
  }

  async order(orderId: string): Promise<OrderView> {
    return (await this.send<OrderView>('GET', `/orders/${orderId}`)).body;
  }

  /** The order once it is as wanted. */
  when(orderId: string, wanted: (order: OrderView) => boolean): Promise<OrderView> {
    return this.log.until(async () => {
      const order = await this.order(orderId);
      return wanted(order) ? order : undefined;
    });
  }

  /** The order once it has ended and, if it failed, is undone. */
  ended(orderId: string): Promise<OrderView> {
    return this.when(orderId, ({ status }) => status !== 'running' && status !== 'compensating');
  }

  /** What moved money for an order: `charge 2500`, `refund 2500`. */
  async entries(orderId: string): Promise<string[]> {
    const rows = await this.dataSource.query<{ entry: string }[]>(
      `SELECT kind || ' ' || cents AS entry FROM shop.payment_entries WHERE order_id = $1 ORDER BY seq`,
      [orderId],
    );
    return rows.map(({ entry }) => entry);
  }

  /** How the payment of an order stands, once its handler has committed. */
  async payment(orderId: string): Promise<string | undefined> {
    const [row] = await this.dataSource.query<{ state: string }[]>(
      'SELECT state FROM shop.payments WHERE order_id = $1',
      [orderId],
    );
    return row?.state;
  }

  async available(sku: string): Promise<number> {
    const [row] = await this.dataSource.query<{ available: number }[]>(
      'SELECT available FROM shop.products WHERE sku = $1',
      [sku],
    );
    return row?.available ?? Number.NaN;
  }

  async balance(): Promise<Balance> {
    return balance(await readBooks(this.dataSource));
  }
}
