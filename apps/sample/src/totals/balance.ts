import type { Books, OrderAccount } from './totals.js';

/** What the books come to. */
export interface Balance {
  /** Orders that have not reached their end yet. */
  readonly open: number;
  /** What does not add up, a sentence each. Open orders are not held to the rules of an end. */
  readonly faults: readonly string[];
  /** For people. */
  readonly report: string;
}

/** Holds the books to their rules. Pure. */
export function balance(books: Books): Balance {
  const open = books.orders.filter((order) => standing(order) === 'open').length;
  const faults = [...books.orders.flatMap(orderFaults), ...stockFaults(books)];
  return { open, faults, report: report(books, open, faults) };
}

type Standing = 'completed' | 'failed' | 'open' | 'illegal';

function standing({ state, status }: OrderAccount): Standing {
  if (state === 'completed' && status === 'completed') return 'completed';
  if (state === 'failed' && status === 'compensated') return 'failed';
  const underWay = state === null || status === 'running' || status === 'compensating';
  return underWay ? 'open' : 'illegal';
}

function orderFaults(order: OrderAccount): string[] {
  const { orderId, charges, charged, refunded, cents, state, status } = order;
  const faults: string[] = [];
  const expect = (right: boolean, fault: string): void =>
    void (right || faults.push(`order ${orderId} ${fault}`));
  expect(charges <= 1, `was charged ${charges} times`);
  expect(refunded <= charged, `was refunded ${refunded} of ${charged} cents`);
  const end = standing(order);
  if (end === 'open') return faults;
  expect(end !== 'illegal', `has no legal end: ${state}, ${status}`);
  const completed = end === 'completed';
  expect(
    charged - refunded === (completed ? cents : 0),
    `is ${state} and the customer has paid ${charged - refunded} of ${cents} cents`,
  );
  const pieces = Object.keys(order.reserved).length;
  expect(completed ? pieces > 0 : pieces === 0, `is ${state} with ${pieces} products reserved`);
  expect((order.shipment === 'shipped') === completed, `is ${state}, its shipment ${order.shipment}`);
  return faults;
}

function stockFaults({ orders, stock }: Books): string[] {
  return stock.flatMap(({ sku, initial, available }) => {
    const taken = reserved(orders, sku);
    if (available >= 0 && initial - taken === available) return [];
    return [`stock of ${sku}: ${initial} at first, ${taken} reserved, but ${available} left`];
  });
}

function reserved(orders: readonly OrderAccount[], sku: string): number {
  return sum(orders, (order) => order.reserved[sku] ?? 0);
}

function report({ orders, stock }: Books, open: number, faults: readonly string[]): string {
  const ended = (wanted: Standing): number => orders.filter((order) => standing(order) === wanted).length;
  const money = (count: (order: OrderAccount) => number, cents: (order: OrderAccount) => number): string =>
    `${String(sum(orders, count)).padStart(6)}   ${euros(sum(orders, cents))}`;
  return [
    `orders      ${String(orders.length).padStart(6)}   completed ${ended('completed')}, failed ${ended('failed')}, open ${open}`,
    `charges     ${money(
      (order) => order.charges,
      (order) => order.charged,
    )}`,
    `refunds     ${money(
      (order) => order.refunds,
      (order) => order.refunded,
    )}`,
    `voids       ${String(sum(orders, (order) => order.voids)).padStart(6)}`,
    `kept               ${euros(sum(orders, (order) => order.charged - order.refunded))}`,
    ...stock.map(
      ({ sku, initial, available }) =>
        `stock       ${String(available).padStart(6)}   ${sku}: ${initial} at first, ${reserved(orders, sku)} reserved`,
    ),
    ...faults,
    verdict(open, faults),
  ].join('\n');
}

function verdict(open: number, faults: readonly string[]): string {
  if (faults.length > 0) return `does NOT balance: ${faults.length} faults`;
  return open > 0 ? `balances so far; ${open} orders are still on their way` : 'balances';
}

function sum(orders: readonly OrderAccount[], of: (order: OrderAccount) => number): number {
  return orders.reduce((total, order) => total + of(order), 0);
}

function euros(cents: number): string {
  return (cents / 100).toFixed(2);
}
