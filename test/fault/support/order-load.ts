import type { DataSource } from 'typeorm';
import { balance } from '../../../apps/sample/src/totals/balance.js';
import { readBooks } from '../../../apps/sample/src/totals/totals.js';
import type { MortalSample } from './mortal-sample.js';

/** Time-outs that are short enough for a test and long enough for a restart. */
export const SHORT_TIMEOUTS = {
  PAYMENT_TIMEOUT: '15s',
  STOCK_TIMEOUT: '15s',
  CARRIER_TIMEOUT: '6s',
  LATE_PAYMENT: '17s',
} as const;

/** What the books come to when every order has ended. */
export interface Outcome {
  readonly faults: readonly string[];
  readonly open: number;
  readonly orders: number;
  readonly completed: number;
  readonly refunded: number;
}

const KINDS = [
  {},
  {},
  {},
  { payment: 'declined' },
  { payment: 'late-charge' },
  { payment: 'late-answer' },
  { stock: 'missing' },
  { carrier: 'fails' },
  { carrier: 'silent' },
];
const CLIENTS = 8;

/** Orders of all kinds, by a few clients who repeat what got no answer under the same key, at any of the nodes. */
export class OrderLoad {
  readonly ids: string[] = [];
  private readonly watchers = new Set<() => void>();
  private placed = 0;
  private stopped = false;

  constructor(
    private readonly nodes: readonly MortalSample[],
    private readonly random: () => number,
    private readonly run: string,
    private readonly most = Number.POSITIVE_INFINITY,
  ) {}

  /** Places orders until there are as many as wanted, or until {@link stop}. */
  async place(most = this.most): Promise<void> {
    const client = async (): Promise<void> => {
      for (let number = this.placed; number < most && !this.stopped; number = this.placed) {
        this.placed++;
        this.ids.push(await this.placeOne(number));
        for (const look of this.watchers) look();
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  stop(): void {
    this.stopped = true;
  }

  /** Settles when so many orders have been accepted. */
  reached(orders: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.ids.length < orders) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  /** Waits until every order has ended and every payment has answered, then adds up the books. */
  async settle(at: MortalSample, dataSource: DataSource): Promise<Outcome> {
    // Lines of both ends hold it: completed, and compensated.
    await at.until(async () => balance(await readBooks(dataSource)).open === 0, '"status":"comp');
    const waiting = new Set(this.ids);
    await at.until(() => everyPaymentAnswered(at, waiting), '"event":"payment.');
    const books = await readBooks(dataSource);
    const { faults, open, report } = balance(books);
    process.stdout.write(`${report}\n`);
    return {
      faults,
      open,
      completed: books.orders.filter(({ state }) => state === 'completed').length,
      refunded: books.orders.filter(({ refunds }) => refunds > 0).length,
      orders: books.orders.length,
    };
  }

  private async placeOne(number: number): Promise<string> {
    const order = {
      customerId: `customer ${number % 10}`,
      items: [
        { sku: 'book', quantity: 1 + Math.floor(this.random() * 3) },
        ...(number % 4 === 0 ? [{ sku: 'chair', quantity: 1 }] : []),
      ],
      simulate: KINDS[number % KINDS.length],
    };
    const headers = { 'Idempotency-Key': `order-${this.run}-${number}` };
    const node = this.nodes[number % this.nodes.length] as MortalSample;
    return (await node.request<{ orderId: string }>('POST', '/orders', order, headers)).orderId;
  }
}

/** Payments always answer, sooner or later; until then one might still be charged. */
async function everyPaymentAnswered(from: MortalSample, waiting: Set<string>): Promise<boolean> {
  for (const id of waiting) {
    const { history } = await from.order(id);
    if (!history.some(({ name }) => name === 'payment.processed' || name === 'payment.failed')) return false;
    waiting.delete(id);
  }
  return true;
}
