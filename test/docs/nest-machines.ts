@Injectable()
export class Bell {
  readonly rung: string[] = [];

  ring(text: string): void {
    this.rung.push(text);
  }

  async watch(signal: AbortSignal): Promise<void> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
}

// #region machine
import { Injectable, Module } from '@nestjs/common';
import {
  InjectMachine,
  OrchestratorModule,
  assign,
  defineMachine,
  machineDecorators,
  type ActionContext,
  type ActivityContext,
  type MachineGuardContext,
  type MachineHandle,
  type MachineTransition,
} from '@nestjs-orchestrator/nest';

export const door = defineMachine(
  {
    id: 'door',
    initial: 'shut',
    context: { opened: 0 },
    states: {
      shut: { on: { OPEN: { target: 'open', guard: 'isFree', actions: ['count', 'ring'] } } },
      open: { invoke: { src: 'watch' }, after: { grace: 'shut' }, on: { CLOSE: 'shut' } },
    },
  },
  {
    actions: { count: assign(({ context }) => ({ opened: Number(context['opened']) + 1 })), ring: undefined },
    guards: { isFree: undefined },
    delays: { grace: undefined },
  },
);
type Door = typeof door;
const { Machine, Action, Guard, Activity, Delay, OnTransition } = machineDecorators(door);

@Machine()
export class DoorMachine {
  constructor(private readonly bell: Bell) {}

  @Action('ring') // sends are recorded, and leave when the step is adopted
  ring(ctx: ActionContext<Door>) {
    this.bell.ring(ctx.machine.id);
  }

  @Guard('isFree') // pure and synchronous
  isFree({ context }: MachineGuardContext<Door>) {
    return context.opened < 10;
  }

  @Activity('watch') // runs while the door is open
  watch({ signal }: ActivityContext<Door>) {
    return this.bell.watch(signal);
  }

  @Delay('grace')
  readonly grace = '5s';

  @OnTransition({ to: 'open' }) // told after the step was adopted
  opened({ machine }: MachineTransition<Door>) {
    this.bell.ring(`${machine.id} is open`);
  }
}
// #endregion

// #region module
@Injectable()
export class DoorService {
  constructor(@InjectMachine(door) private readonly doors: MachineHandle<Door>) {}

  async open(id: string): Promise<number> {
    const front = await this.doors.spawn({ id });
    const { snapshot } = await front.request({ type: 'OPEN' });
    return snapshot.context.opened;
  }
}

@Module({
  imports: [OrchestratorModule.forFeature([door])],
  providers: [DoorMachine, Bell, DoorService],
  exports: [DoorService],
})
export class DoorModule {}
// #endregion
