import { Logger } from '@nestjs/common';
import {
  machineDecorators,
  machineTypes,
  type ActivityContext,
  type EventObject,
  type MachineTransition,
} from '@nestjs-orchestrator/nest';
import { settings } from '../config/settings.js';
import { Shipments } from './shipments.js';

/** What a courier knows of its work. The parcels themselves are rows, so a process that dies loses none. */
interface Round {
  readonly trips: number;
  readonly delivered: number;
}

/** What a trip has brought: parcels handed over, and those that wait for the next one. */
export interface Trip {
  readonly delivered: number;
  readonly left: number;
}

type Notice = { readonly type: 'PARCEL' };
const types = machineTypes<{ context: Round; events: Notice }>();

const tripOf = (event: EventObject): Trip => (event as unknown as { output: Trip }).output;

/**
 * A courier collects what comes while it is loading and takes it in one trip. It begins with a trip, for parcels that an earlier process
 * left; makes a round now and then, for those whose notice came before their row; and rests when the database is away.
 */
export const courier = types.define(
  {
    id: 'courier',
    initial: 'driving',
    context: { trips: 0, delivered: 0 },
    states: {
      depot: { on: { PARCEL: 'loading' }, after: { round: 'driving' } },
      loading: { after: { loading: 'driving' } },
      driving: {
        invoke: {
          src: 'deliver',
          onDone: [
            { guard: 'moreWaits', target: 'loading', actions: 'count' },
            { target: 'depot', actions: 'count' },
          ],
          onError: 'resting',
        },
      },
      resting: { after: { rest: 'driving' } },
    },
  },
  {
    actions: {
      count: types.assign(({ context, event }) => ({
        trips: context.trips + 1,
        delivered: context.delivered + tripOf(event).delivered,
      })),
    },
    guards: { moreWaits: types.guard(({ event }) => tripOf(event).left > 0) },
    delays: { round: undefined, loading: undefined, rest: undefined },
  },
);
export type Courier = typeof courier;

const { Machine, Activity, Delay, OnTransition } = machineDecorators(courier);

/** Parcels of one trip, at most. */
const CAPACITY = 100;

@Machine()
export class CourierMachine {
  private readonly logger = new Logger('Courier');

  constructor(private readonly shipments: Shipments) {}

  @Delay('loading')
  readonly loading = settings.courierLoading;

  @Delay('round')
  readonly round = '30s';

  @Delay('rest')
  readonly rest = '5s';

  @Activity('deliver')
  async deliver({ signal }: ActivityContext<Courier>): Promise<Trip> {
    signal.throwIfAborted();
    const trip = await this.shipments.deliver(CAPACITY);
    if (trip.delivered > 0) this.logger.log(`${trip.delivered} delivered, ${trip.left} left`);
    return trip;
  }

  @OnTransition({ to: 'resting' })
  restsOn({ event }: MachineTransition<Courier>) {
    const { error } = event as unknown as { error?: unknown };
    this.logger.warn(`No trip was possible: ${error instanceof Error ? error.message : String(error)}`);
  }
}
