import { Inject, Injectable } from '@nestjs/common';
import {
  InjectMachine,
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
      open: {
        invoke: { src: 'watch', onDone: 'shut' },
        after: { grace: 'shut' },
        on: { CLOSE: 'shut' },
      },
    },
  },
  {
    actions: { count: assign(({ context }) => ({ opened: Number(context['opened']) + 1 })), ring: undefined },
    guards: { isFree: undefined },
    delays: { grace: undefined },
  },
);
export type Door = typeof door;

const { Machine, Action, Guard, Activity, Delay, OnTransition } = machineDecorators(door);

/** What is injected into the machine class. */
@Injectable()
export class Bell {
  readonly rung: string[] = [];
  readonly lines: string[] = [];
  limit = 3;
}

@Machine()
export class DoorMachine {
  constructor(@Inject(Bell) private readonly bell: Bell) {}

  @Delay('grace')
  readonly grace = '5s';

  @Action('ring')
  ring(ctx: ActionContext<Door>) {
    this.bell.rung.push(ctx.machine.id);
  }

  @Guard('isFree')
  isFree({ context }: MachineGuardContext<Door>) {
    return context.opened < this.bell.limit;
  }

  @Activity('watch')
  watch({ signal }: ActivityContext<Door>) {
    return new Promise<void>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.bell.lines.push('watch aborted');
        reject(signal.reason);
      });
    });
  }

  @OnTransition({ to: 'open' })
  opened({ machine, event }: MachineTransition<Door>) {
    this.bell.lines.push(`${machine.id} opened by ${event.type}`);
  }

  @OnTransition({ from: 'open', on: 'CLOSE' })
  async closed({ machine }: MachineTransition<Door>) {
    this.bell.lines.push(`${machine.id} closed`);
  }
}

/** What an application's own service injects. */
@Injectable()
export class DoorService {
  constructor(@InjectMachine(door) readonly doors: MachineHandle<Door>) {}
}
