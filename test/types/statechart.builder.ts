/** The typed builder: functions know the context and the events. Nothing here runs. */
import { initialTransition, machineTypes, transition } from '@nestjs-orchestrator/statechart';

interface Door {
  readonly opened: number;
}
type DoorEvent = { type: 'OPEN'; by: string } | { type: 'CLOSE' };

const door = machineTypes<{ context: Door; events: DoorEvent }>();

const machine = door.define({
  id: 'door',
  initial: 'shut',
  context: { opened: 0 },
  states: {
    shut: {
      on: {
        OPEN: {
          target: 'open',
          guard: door.guard(
            ({ context, event }) => context.opened < 10 && event.type === 'OPEN' && event.by !== '',
          ),
          actions: door.assign({ opened: ({ context }) => context.opened + 1 }),
        },
      },
    },
    // @ts-expect-error no state 'shutt'
    open: { on: { CLOSE: 'shutt' } },
  },
});

// @ts-expect-error the context has no 'closed'
door.assign({ closed: 1 });
// @ts-expect-error the context has no 'closed'
door.guard(({ context }) => context.closed > 1);
// @ts-expect-error 'opened' is a number
door.assign(() => ({ opened: 'once' }));
// @ts-expect-error no such event
door.raise({ type: 'SLAM' });

const { snapshot } = initialTransition(machine);
snapshot.context.opened.toFixed();
transition(machine, snapshot, { type: 'OPEN', by: 'me' });
// @ts-expect-error OPEN says by whom
transition(machine, snapshot, { type: 'OPEN' });
// @ts-expect-error no such event
transition(machine, snapshot, { type: 'SLAM' });
