import { defineMachine } from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { OrderProcessing, TenantOrchestration } from '../docs/orchestrator-guide.js';

/** The examples of docs/guides/orchestrator.md do what the guide says. */
describe('order processing', () => {
  it('charges, packs and ships an order', async () => {
    const packed: string[] = [];
    let packedOne = (): void => {};
    const packing = new Promise<void>((resolve) => (packedOne = resolve));
    const orders = new OrderProcessing(
      { charge: async ({ id }) => `tx-${id}` },
      {
        pack(id) {
          packed.push(id);
          packedOne();
        },
      },
    );
    const outcome = orders.process({ id: '7', cents: 500 });
    await packing;
    await orders.shipped('7', 'parcel');
    await expect(outcome).resolves.toBe('shipped');
    expect(packed).toEqual(['7']);
    await orders.close();
  });

  it('refuses what cannot be charged', async () => {
    const orders = new OrderProcessing(
      { charge: () => Promise.reject(new Error('declined')) },
      { pack() {} },
    );
    await expect(orders.process({ id: '8', cents: 500 })).resolves.toBe('refused');
    await orders.close();
  });
});

it('tenants have groups of their own, and one ends without the others', async () => {
  const tenants = new TenantOrchestration();
  const light = defineMachine({ id: 'light', initial: 'off', states: { off: { on: { ON: 'on' } }, on: {} } });
  const [ada, bob] = [tenants.group('ada'), tenants.group('bob')];
  expect(tenants.group('ada')).toBe(ada);
  const lamps = await Promise.all([ada, bob].map((group) => group.register(light).spawn({ id: 'lamp' })));
  await tenants.release('ada');
  await expect(lamps[0]?.send({ type: 'ON' })).rejects.toMatchObject({
    code: 'GROUP_RELEASED',
    group: 'Tenant_ada',
  });
  await expect(lamps[1]?.request({ type: 'ON' })).resolves.toMatchObject({ changed: true });
  await tenants.release('bob');
});
