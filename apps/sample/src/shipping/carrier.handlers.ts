import { Injectable } from '@nestjs/common';
import { Handles, type MessageContext } from '@nestjs-orchestrator/nest';
import { transactionOf } from '../database/data-source.js';
import { CarrierAnswered, ShipOrder } from '../orders/order.messages.js';
import { CourierDesk } from './courier-desk.js';
import { Shipments } from './shipments.js';

/** The shipping service. */
@Injectable()
export class CarrierHandlers {
  constructor(
    private readonly shipments: Shipments,
    private readonly couriers: CourierDesk,
  ) {}

  @Handles(ShipOrder)
  async ship(ctx: MessageContext<ShipOrder>): Promise<void> {
    const { orderId, behaviour } = ctx.message;
    const tx = transactionOf(ctx);
    switch (behaviour) {
      case 'silent':
        await this.shipments.book(tx, orderId, 'requested', null);
        break;
      case 'fails':
        await this.shipments.book(tx, orderId, 'refused', null);
        ctx.publish(new CarrierAnswered({ orderId, reason: 'the carrier refused the parcel' }));
        break;
      case 'ok': {
        const tracking = `track-${ctx.id}`;
        const state = await this.shipments.book(tx, orderId, 'shipped', tracking);
        if (state === 'shipped') this.couriers.parcel();
        ctx.publish(
          state === 'shipped'
            ? new CarrierAnswered({ orderId, tracking })
            : new CarrierAnswered({ orderId, reason: `the shipment is ${state}` }),
        );
        break;
      }
    }
  }
}
