// #region orders
import { type ChannelGroup, globalOrchestrator, type MachineRef } from '@nestjs-orchestrator/core';
import { machineTypes } from '@nestjs-orchestrator/statechart';

interface Order {
  readonly id: string;
  readonly cents: number;
}
const { assign, define } = machineTypes<{
  context: Order & { readonly transaction?: string };
  events: { type: 'CANCEL' } | { type: 'SHIPPED'; parcel: string };
}>();

export const order = define(
  {
    id: 'order',
    initial: 'paying',
    context: ({ input }: { input: Order }) => input,
    states: {
      paying: {
        invoke: {
          src: 'charge',
          onDone: {
            target: 'packing',
            actions: assign(({ event }) => ({ transaction: String((event as { output?: unknown }).output) })),
          },
          onError: 'refused',
        },
        after: { patience: 'refused' },
        on: { CANCEL: 'refused' },
      },
      packing: { entry: 'tellWarehouse', on: { SHIPPED: 'shipped' } },
      shipped: { type: 'final' },
      refused: { type: 'final' },
    },
  },
  { actions: ['tellWarehouse'], delays: ['patience'] },
);

export class OrderProcessing {
  private readonly group: ChannelGroup = globalOrchestrator().createChannelGroup('OrderProcessing');

  constructor(
    payments: { charge(order: Order, signal: AbortSignal): Promise<string> },
    warehouse: { pack(id: string): void },
  ) {
    this.group.register(order, {
      activities: { charge: ({ data, signal }) => payments.charge(data, signal) }, // aborted when `paying` is left
      actions: { tellWarehouse: ({ data }) => warehouse.pack(data.id) },
      delays: { patience: 30_000 },
    });
  }

  async process(placed: Order): Promise<'shipped' | 'refused'> {
    const ref: MachineRef<typeof order> = await this.group.spawn(order, {
      id: `order_${placed.id}`,
      input: placed,
    });
    const { configuration } = await ref.waitFor(({ status }) => status === 'done');
    return configuration.toJSON().includes('order.shipped') ? 'shipped' : 'refused';
  }

  shipped(id: string, parcel: string): Promise<void> {
    return this.group.ref(order, `order_${id}`).send({ type: 'SHIPPED', parcel });
  }

  close(): Promise<void> {
    return this.group.release();
  }
}
// #endregion

// #region tenants
export class TenantOrchestration {
  private readonly groups = new Map<string, ChannelGroup>();

  group(tenant: string): ChannelGroup {
    let group = this.groups.get(tenant);
    if (group === undefined) {
      group = globalOrchestrator().createChannelGroup(`Tenant_${tenant}`, { maxMachines: 10_000 });
      this.groups.set(tenant, group);
    }
    return group;
  }

  async release(tenant: string): Promise<void> {
    const group = this.groups.get(tenant);
    this.groups.delete(tenant);
    await group?.release(); // its machines, timers, activities and requests; nobody else's
  }
}
// #endregion
