import { timeouts } from './support/timeouts.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SampleApp } from './support/sample-app.js';

let sample: SampleApp;

beforeAll(async () => {
  sample = await SampleApp.start(timeouts);
});
afterAll(() => sample.stop());

async function resilience() {
  const { body } = await sample.send<{ info: { orchestrator: Record<string, unknown> } }>('GET', '/health');
  const { status, breakers, limiters } = body.info.orchestrator;
  return { status, breakers, limiters };
}

it('a card network that is away opens the breaker, which health shows; orders are undone in time', async () => {
  expect(await resilience()).toMatchObject({ status: 'up', breakers: { payments: 'closed' } });
  const { body: order } = await sample.place({ simulate: { payment: 'unreachable' } });

  const open = await sample.log.until(async () => {
    const found = await resilience();
    return (found.breakers as { payments: string }).payments === 'open' ? found : undefined;
  });
  expect(open).toMatchObject({ status: 'up', limiters: { 'card-network': { refused: 0 } } });

  sample.clock.leap(timeouts.PAYMENT_TIMEOUT);
  const undone = await sample.log.until(async () => {
    const found = await sample.order(order.orderId);
    return found.status === 'compensated' ? found : undefined;
  });
  expect(undone).toMatchObject({ state: 'failed', undone: ['refund'] });
  expect(undone.data?.['reason']).toContain('no answer to the payment');
});
