import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectMachine, matches, type MachineHandle, type MachineRef } from '@nestjs-orchestrator/nest';
import { z } from 'zod';
import { courier, type Courier } from './courier.machine.js';
import { Shipments } from './shipments.js';

export const courierView = z.object({
  state: z.enum(['depot', 'loading', 'driving', 'resting']).meta({
    description: 'loading: collects parcels for a trip. resting: the last trip failed; the next one follows.',
  }),
  trips: z.int().meta({ description: 'Since this process began.' }),
  delivered: z.int().meta({ description: 'Parcels since this process began.' }),
  waiting: z.int().meta({ description: 'Parcels that are shipped and not delivered yet.' }),
});
export type CourierView = z.infer<typeof courierView>;

/** The way to this process's courier. */
@Injectable()
export class CourierDesk implements OnApplicationBootstrap {
  private van: MachineRef<Courier> | undefined;

  constructor(
    @InjectMachine(courier) private readonly couriers: MachineHandle<Courier>,
    private readonly shipments: Shipments,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.van = await this.couriers.spawn({ id: 'van' });
  }

  /** A parcel was booked. A notice that finds no courier is no loss: rounds find the parcel. */
  parcel(): void {
    this.van?.trySend({ type: 'PARCEL' });
  }

  async view(): Promise<CourierView> {
    const van = this.couriers.ref('van');
    const { context } = van.snapshot();
    const state = courierView.shape.state.options.find((name) => matches(van.snapshot(), name)) ?? 'depot';
    return { state, ...context, waiting: await this.shipments.waiting() };
  }
}
