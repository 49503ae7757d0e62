import { CqrsModule, EventBus } from '@nestjs/cqrs';
import {
  CqrsBridgeModule,
  fromEventBus,
  toEventBus,
  type CqrsBridgeOptions,
} from '@nestjs-orchestrator/nest/cqrs';
import { OrchestratorModule, defineMachine, emit, matches } from '@nestjs-orchestrator/nest';
import { createOrchestratorTestingModule } from '@nestjs-orchestrator/testing/nest';
import { expect, it, onTestFinished } from 'vitest';
import { LogLines } from './support/log-lines.js';

const parcel = defineMachine({
  id: 'parcel',
  initial: 'new',
  states: {
    new: { on: { SENT: 'onTheWay' } },
    onTheWay: { on: { ARRIVED: { target: 'there', actions: emit({ type: 'bell' }) } } },
    there: {},
  },
});

class Sent {
  constructor(readonly parcelId: string) {}
}
class Arrived {
  constructor(readonly parcelId: string) {}
}
class Delivered {
  constructor(readonly parcelId: string) {}
}
class Rung {
  constructor(readonly parcelId: string) {}
}

async function bridged(options: CqrsBridgeOptions, channelGroup?: string) {
  const logger = new LogLines();
  const t = await createOrchestratorTestingModule(
    {
      imports: [
        CqrsModule.forRoot(),
        OrchestratorModule.forFeature([parcel], channelGroup === undefined ? {} : { channelGroup }),
        CqrsBridgeModule.register(options),
      ],
    },
    { logger },
  );
  onTestFinished(() => t.close());
  const events = t.get(EventBus);
  const published: object[] = [];
  events.subscribe((event: object) => published.push(event));
  return { t, events, published, logger };
}

const inbound = [
  fromEventBus(Sent, parcel, ({ parcelId }) => ({ id: parcelId, event: { type: 'SENT' }, spawn: {} })),
  fromEventBus(Arrived, parcel, ({ parcelId }) =>
    parcelId === 'nobody' ? undefined : { id: parcelId, event: { type: 'ARRIVED' } },
  ),
];

it('takes events to machines in their order, and starts those that are not at work', async () => {
  const { t, events } = await bridged({ toMachines: inbound });
  events.publishAll([
    new Sent('p1'),
    new Arrived('p1'),
    new Sent('p2'),
    new Arrived('nobody'),
    new Sent('p1'),
  ]);
  await t.settled();
  t.recorder.expectPath('p1', ['new', 'onTheWay', 'there']);
  t.recorder.expectPath('p2', ['new', 'onTheWay']);
  expect(t.orchestrator.machines().map(({ id }) => id)).toEqual(['p1', 'p2']);
});

it('publishes what happens to machines', async () => {
  const { t, published } = await bridged({
    toEvents: [
      toEventBus(parcel, ({ machine, after }) =>
        matches(after, 'there') ? new Delivered(machine.id) : undefined,
      ),
      toEventBus(parcel, ({ machine }) => new Rung(machine.id), ['emitted']),
    ],
  });
  const ref = await t.orchestrator.spawn(parcel, { id: 'p1' });
  await ref.request({ type: 'SENT' });
  expect(published).toEqual([]);
  await ref.request({ type: 'ARRIVED' });
  expect(published).toHaveLength(2);
  expect(published).toEqual(expect.arrayContaining([new Delivered('p1'), new Rung('p1')]));
});

it('reaches the machines of a named group', async () => {
  const { t, events } = await bridged({ toMachines: inbound, channelGroup: 'post' }, 'post');
  events.publish(new Sent('p1'));
  await t.settled();
  expect(t.machines(parcel).ref('p1').snapshot()).toMatchObject({ status: 'active' });
  expect(t.orchestrator.machines()).toEqual([]);
});

it('says in the log what did not get through, and goes on', async () => {
  const { t, events, logger } = await bridged({
    toMachines: [
      ...inbound,
      fromEventBus(Delivered, parcel, () => {
        throw new Error('no such parcel');
      }),
    ],
    toEvents: [
      toEventBus(parcel, () => {
        throw new Error('no event for it');
      }),
    ],
  });
  events.publishAll([new Arrived('unknown'), new Delivered('x'), new Sent('p1')]);
  await t.settled();
  const errors = logger.all
    .filter(({ level }) => level === 'error')
    .map(({ message, fields }) => `${message}: ${String(fields['error'])}`);
  expect(errors).toEqual([
    "An event for machine 'parcel' could not be mapped: Error: no such parcel",
    expect.stringMatching(/^Event 'ARRIVED' did not reach machine 'unknown': UnknownMachineError/),
    "A record of machine 'p1' could not be published: Error: no event for it",
  ]);
  t.recorder.expectPath('p1', ['new', 'onTheWay']);
});

it('takes nothing more once the application ends', async () => {
  const { t, events } = await bridged({ toMachines: inbound });
  await t.close();
  events.publish(new Sent('late'));
  await t.settled();
  t.recorder.expectNoTransition({});
  expect(t.recorder.entries).toEqual([]);
});
