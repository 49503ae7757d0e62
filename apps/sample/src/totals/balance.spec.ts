import { describe, expect, it } from 'vitest';
import { balance } from './balance.js';
import type { OrderAccount, StockAccount } from './totals.js';

const completed: OrderAccount = {
  orderId: 'o1',
  cents: 500,
  state: 'completed',
  status: 'completed',
  charges: 1,
  charged: 500,
  refunds: 0,
  refunded: 0,
  voids: 0,
  shipment: 'shipped',
  reserved: { book: 2 },
};
const failed: OrderAccount = {
  ...completed,
  state: 'failed',
  status: 'compensated',
  refunds: 1,
  refunded: 500,
  shipment: 'cancelled',
  reserved: {},
};
const open: OrderAccount = { ...completed, state: 'awaitingShipment', status: 'running' };
const stock = (available: number): StockAccount[] => [{ sku: 'book', initial: 10, available }];

describe('the balance', () => {
  it('is found where all adds up', () => {
    const books = {
      orders: [completed, failed, { ...failed, charges: 0, charged: 0, refunds: 0, refunded: 0 }],
      stock: stock(8),
    };
    const { open, faults, report } = balance(books);
    expect({ open, faults }).toEqual({ open: 0, faults: [] });
    expect(report.split('\n')).toContain('orders           3   completed 1, failed 2, open 0');
    expect(report.split('\n')).toContain('kept               5.00');
    expect(report.endsWith('\nbalances')).toBe(true);
  });

  it('counts orders that are on their way, and holds them to what holds at any time', () => {
    const { open: count, faults } = balance({
      orders: [open, { ...open, state: null, status: null, reserved: {} }],
      stock: stock(8),
    });
    expect({ count, faults }).toEqual({ count: 2, faults: [] });
  });

  it.each<[string, OrderAccount, StockAccount[], string]>([
    [
      'a double charge',
      { ...completed, charges: 2, charged: 1_000, refunded: 500 },
      stock(8),
      'was charged 2 times',
    ],
    ['a double charge under way', { ...open, charges: 2 }, stock(8), 'was charged 2 times'],
    ['too much given back', { ...failed, refunded: 900 }, stock(10), 'was refunded 900 of 500 cents'],
    ['a failed order that is paid', { ...failed, refunded: 0 }, stock(10), 'has paid 500 of 500 cents'],
    [
      'a completed order that is not paid',
      { ...completed, charged: 0, charges: 0 },
      stock(8),
      'has paid 0 of 500 cents',
    ],
    ['a failed order with stock', { ...failed, reserved: { book: 1 } }, stock(9), 'with 1 products reserved'],
    [
      'a completed order without stock',
      { ...completed, reserved: {} },
      stock(10),
      'with 0 products reserved',
    ],
    ['a failed order that is shipped', { ...failed, shipment: 'shipped' }, stock(10), 'its shipment shipped'],
    [
      'a completed order that is not shipped',
      { ...completed, shipment: null },
      stock(8),
      'its shipment null',
    ],
    ['an end that is none', { ...failed, status: 'compensation-failed' }, stock(10), 'has no legal end'],
    ['stock that is lost', completed, stock(7), '10 at first, 2 reserved, but 7 left'],
    ['stock that is sold twice', completed, stock(-1), 'but -1 left'],
  ])('is not found with %s', (_, order, shelf, fault) => {
    const { faults, report } = balance({ orders: [order], stock: shelf });
    expect(faults.join('\n')).toContain(fault);
    expect(report).toContain('does NOT balance');
  });
});
