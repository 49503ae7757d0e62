import { fromEventBus, toEventBus } from '@nestjs-orchestrator/nest/cqrs';
import {
  InjectChannelGroup,
  InjectMachine,
  defineMachine,
  machineDecorators,
  type ActionContext,
  type ActivityContext,
  type ChannelGroup,
  type MachineGuardContext,
  type MachineHandle,
  type MachineTransition,
} from '@nestjs-orchestrator/nest';

const door = defineMachine({
  id: 'door',
  initial: 'shut',
  context: { opened: 0 },
  states: {
    shut: { on: { OPEN: { target: 'open', guard: 'isFree', actions: 'ring' } } },
    open: { invoke: { src: 'poll' }, after: { grace: 'shut' }, on: { CLOSE: 'shut' } },
  },
});
type Door = typeof door;
const { Machine, Action, Guard, Activity, Delay, OnTransition } = machineDecorators(door);

/** Each line marked with an expected error must not compile; the lines beside them must. */
@Machine()
export class Names {
  // @ts-expect-error misspelt action
  @Action('rng')
  a(_ctx: ActionContext<Door>) {}

  // @ts-expect-error a guard is no action
  @Action('isFree')
  b(_ctx: ActionContext<Door>) {}

  // @ts-expect-error misspelt guard
  @Guard('isFre')
  c(_ctx: MachineGuardContext<Door>) {
    return true;
  }

  // @ts-expect-error misspelt activity
  @Activity('pol')
  d(_ctx: ActivityContext<Door>) {}

  // @ts-expect-error misspelt delay
  @Delay('grac')
  readonly e = 5_000;

  @Action('ring')
  ok(ctx: ActionContext<Door>, _params: { loud: boolean }) {
    ctx.sendSelf({ type: 'CLOSE' });
    return ctx.data.opened satisfies number as unknown as void;
  }
}

@Machine()
export class Members {
  // @ts-expect-error a guard returns a boolean
  @Guard('isFree')
  a(_ctx: MachineGuardContext<Door>) {
    return 'yes';
  }

  // @ts-expect-error a guard is synchronous
  @Guard('isFree')
  async b(_ctx: MachineGuardContext<Door>) {
    return true;
  }

  // @ts-expect-error a length of time is no object
  @Delay('grace')
  readonly c = {};

  // @ts-expect-error a length of time has a unit
  @Delay('grace')
  readonly d: string = '5 seconds';

  // @ts-expect-error the event of an action is not one that the machine does not know
  @Action('ring')
  e(_ctx: { readonly event: { readonly type: 'KNOCK' } }) {}

  @Delay('grace')
  readonly duration = '5s';

  @Delay('grace')
  computed({ context }: MachineGuardContext<Door>) {
    return context.opened * 1_000;
  }

  @Activity('poll')
  async ok({ signal, input }: ActivityContext<Door, { url: string }>) {
    return signal.aborted ? undefined : input.url;
  }

  @Guard('isFree')
  free({ context }: MachineGuardContext<Door>) {
    return context.opened < 10;
  }
}

@Machine()
export class Transitions {
  // @ts-expect-error misspelt state
  @OnTransition({ to: 'opn' })
  a(_transition: MachineTransition<Door>) {}

  // @ts-expect-error misspelt event
  @OnTransition({ on: 'OPN' })
  b(_transition: MachineTransition<Door>) {}

  @OnTransition({ from: 'shut', to: 'open', on: 'OPEN' })
  @OnTransition()
  async ok({ after }: MachineTransition<Door>) {
    return void after.context.opened.toFixed();
  }
}

export class Injected {
  constructor(
    @InjectMachine(door) readonly doors: MachineHandle<Door>,
    @InjectChannelGroup('billing') readonly billing: ChannelGroup,
    // @ts-expect-error a machine is injected by its definition
    @InjectMachine('door') readonly other: MachineHandle<Door>,
  ) {}

  async events(): Promise<void> {
    const ref = await this.doors.spawn({ id: 'front' });
    await ref.send({ type: 'OPEN' });
    // @ts-expect-error the machine does not know the event
    await ref.send({ type: 'KNOCK' });
    // @ts-expect-error misspelt state
    await ref.waitFor('opn');
  }
}

class Opened {
  constructor(readonly id: string) {}
}

export const routes = [
  fromEventBus(Opened, door, ({ id }) => ({ id, event: { type: 'OPEN' }, spawn: {} })),
  // @ts-expect-error the machine does not know the event
  fromEventBus(Opened, door, ({ id }) => ({ id, event: { type: 'KNOCK' } })),
  // @ts-expect-error the class has no such field
  fromEventBus(Opened, door, ({ name }) => ({ id: name, event: { type: 'OPEN' } })),
  toEventBus(door, ({ after, machine }) => (after.status === 'done' ? new Opened(machine.id) : undefined)),
  // @ts-expect-error what is emitted has no state
  toEventBus(door, ({ after }) => after, ['emitted']),
];
