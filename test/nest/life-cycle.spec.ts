import { setImmediate } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { expect, it } from 'vitest';
import { memoryStore, type MemoryStore } from '@nestjs-orchestrator/core/memory';
import {
  Handles,
  MessageBus,
  Orchestrator,
  OrchestratorHealth,
  OrchestratorModule,
  defineMachine,
  machineDecorators,
  type ActionContext,
  type ActivityContext,
  type MessageContext,
} from '@nestjs-orchestrator/nest';
import { TicketModule, named, run } from './support/application.js';
import { LogLines } from './support/log-lines.js';
import { Cancelled, Opened, TicketService } from './support/ticket.js';

type Note = (line: string) => void;

/** Writes down when its module's hooks are called. */
class Hooks
  implements
    OnModuleInit,
    OnApplicationBootstrap,
    OnModuleDestroy,
    BeforeApplicationShutdown,
    OnApplicationShutdown
{
  /** What a subclass adds to a line. */
  protected state: () => Promise<string> = async () => '';

  constructor(
    private readonly module: string,
    protected readonly note: Note,
  ) {}

  private async write(hook: string): Promise<void> {
    this.note(`${this.module} ${hook}${await this.state()}`);
  }

  onModuleInit = (): Promise<void> => this.write('onModuleInit');
  onApplicationBootstrap = (): Promise<void> => this.write('onApplicationBootstrap');
  onModuleDestroy = (): Promise<void> => this.write('onModuleDestroy');
  beforeApplicationShutdown = (): Promise<void> => this.write('beforeApplicationShutdown');
  onApplicationShutdown = (): Promise<void> => this.write('onApplicationShutdown');
}

/** Writes down when the node starts and closes the store. */
function noted(store: MemoryStore, note: Note): MemoryStore {
  const { start, close } = store;
  store.start = async () => {
    note('store started');
    await start.call(store);
  };
  store.close = async () => {
    note('store closed');
    await close.call(store);
  };
  return store;
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

it('starts when all modules are there, and ends between the last request and the database', async () => {
  const lines = new LogLines();
  const events: string[] = [];
  const note: Note = (line) => void events.push(line);
  const store = memoryStore();
  const [entered, leave] = [gate(), gate()];

  @Injectable()
  class SlowClerk {
    constructor(@Inject(MessageBus) private readonly bus: MessageBus) {}

    @Handles(Cancelled)
    async cancelled(_ctx: MessageContext<Cancelled>) {
      entered.open();
      await leave.opened;
      // Takes longer than all hooks but the one that must wait for it.
      for (let turn = 0; turn < 10; turn++) await setImmediate();
      note('handler done');
    }

    /** Reaches the store when this node pulls no more. */
    beforeApplicationShutdown(): Promise<unknown> {
      return this.bus.publish(new Opened({ ticketId: 'late' }));
    }

    onApplicationShutdown(): void {
      leave.open();
    }
  }

  const database = named('DatabaseModule', {
    providers: [
      { provide: 'store', useFactory: () => noted(store.connect(), note) },
      { provide: 'hooks', useFactory: () => new Hooks('database', note) },
    ],
    exports: ['store'],
  });
  class AppHooks extends Hooks {
    constructor(health: OrchestratorHealth) {
      super('app', note);
      this.state = async () => `, node ${(await health.check()).orchestrator.status}`;
    }
  }
  const orchestrator = OrchestratorModule.forRootAsync({
    imports: [database],
    inject: ['store'],
    useFactory: (store: MemoryStore) => ({ store, logger: lines }),
  });
  const app = named('AppModule', {
    imports: [database, orchestrator, TicketModule],
    providers: [
      SlowClerk,
      {
        provide: 'app',
        useFactory: (h: OrchestratorHealth) => new AppHooks(h),
        inject: [OrchestratorHealth],
      },
    ],
  });

  const { module } = await run([app], lines);
  await module.get(MessageBus, { strict: false }).publish(new Cancelled({ ticketId: 'x' }));
  await entered.opened;
  const health = module.get(OrchestratorHealth, { strict: false });
  await module.close();

  expect(events).toEqual([
    'database onModuleInit',
    'app onModuleInit, node down',
    'database onApplicationBootstrap',
    'store started',
    'app onApplicationBootstrap, node up',
    'app onModuleDestroy, node up',
    'database onModuleDestroy',
    'app beforeApplicationShutdown, node up',
    'database beforeApplicationShutdown',
    'app onApplicationShutdown, node down',
    'handler done',
    'store closed',
    'database onApplicationShutdown',
  ]);
  expect(await health.check()).toMatchObject({ orchestrator: { status: 'down', reason: 'shutting down' } });

  // What came too late for this node is there for the next one.
  const next = new LogLines();
  const root = OrchestratorModule.forRoot({ store: store.connect(), logger: next });
  const second = await run([root, TicketModule], next);
  await next.seen('paying → valid');
  const { tickets } = second.module.get(TicketService, { strict: false });
  expect(await tickets.findByCorrelation('late')).toMatchObject({ state: 'valid' });
  expect(lines.all.filter(({ message }) => message.includes('created'))).toEqual([]);
  await second.module.close();
});

it('opens the machines with the modules, lets them come to rest, and releases them when the node is closed, before the database', async () => {
  const lines = new LogLines();
  const events: string[] = [];
  const note: Note = (line) => void events.push(line);
  const [entered, leave] = [gate(), gate()];
  const lathe = defineMachine({
    id: 'lathe',
    initial: 'off',
    states: { off: { on: { START: 'on' } }, on: { entry: 'warmUp', invoke: { src: 'turn' } } },
  });
  const { Machine, Action, Activity } = machineDecorators(lathe);

  @Machine()
  class LatheMachine {
    constructor(@Inject(MessageBus) private readonly bus: MessageBus) {}

    @Action('warmUp')
    async warmUp(_ctx: ActionContext<typeof lathe>) {
      entered.open();
      await leave.opened;
      // The node still takes what machines have to say.
      await this.bus.publish(new Opened({ ticketId: 'from a machine' }));
      note('action done');
    }

    @Activity('turn')
    async turn({ signal }: ActivityContext<typeof lathe>) {
      note('activity runs');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      note('activity aborted');
    }

    onApplicationShutdown(): void {
      leave.open();
    }
  }

  class MachineHooks extends Hooks {
    constructor(orchestrator: Orchestrator) {
      super('app', note);
      this.state = async () => {
        try {
          return `, machines ${orchestrator.health().status}`;
        } catch (error) {
          return `, machines ${(error as { code: string }).code}`;
        }
      };
    }
  }
  const database = named('DatabaseModule', {
    providers: [
      { provide: 'store', useFactory: () => noted(memoryStore(), note) },
      { provide: 'hooks', useFactory: () => new Hooks('database', note) },
    ],
    exports: ['store'],
  });
  const orchestrator = OrchestratorModule.forRootAsync({
    imports: [database],
    inject: ['store'],
    useFactory: (store: MemoryStore) => ({ store, logger: lines }),
  });
  const app = named('AppModule', {
    imports: [database, orchestrator, TicketModule, OrchestratorModule.forFeature([lathe])],
    providers: [
      LatheMachine,
      { provide: 'app', useFactory: (o: Orchestrator) => new MachineHooks(o), inject: [Orchestrator] },
    ],
  });

  const { module } = await run([app], lines);
  const first = await module.get(Orchestrator, { strict: false }).spawn(lathe);
  await first.send({ type: 'START' });
  await entered.opened;
  await module.close();

  expect(events).toEqual([
    'database onModuleInit',
    'app onModuleInit, machines healthy',
    'database onApplicationBootstrap',
    'store started',
    'app onApplicationBootstrap, machines healthy',
    'app onModuleDestroy, machines healthy',
    'database onModuleDestroy',
    'app beforeApplicationShutdown, machines healthy',
    'database beforeApplicationShutdown',
    'app onApplicationShutdown, machines healthy',
    'action done',
    'activity runs',
    'store closed',
    'activity aborted',
    'database onApplicationShutdown',
  ]);
});
