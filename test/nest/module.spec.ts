import { Inject, Injectable, Module } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  MessageBus,
  OrchestratorConfigurationError,
  OrchestratorHealth,
  OrchestratorModule,
  getSagaRepositoryToken,
} from '@nestjs-orchestrator/nest';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { TicketModule, boot, named, run, type Application } from './support/application.js';
import { LogLines } from './support/log-lines.js';
import {
  Cancelled,
  Cashier,
  Desk,
  Opened,
  TicketService,
  builtTicket,
  ticketSaga,
} from './support/ticket.js';

async function closing(application: Promise<Application>): Promise<Application> {
  const { module, lines } = await application;
  onTestFinished(() => module.close());
  return { module, lines };
}

describe('an application', () => {
  it('takes a message through saga, handler and answer to a state that its repository shows', async () => {
    const { module, lines } = await closing(boot([TicketModule]));
    const service = module.get(TicketService, { strict: false });
    await service.open('t1');
    await lines.seen('paying → valid');
    expect(await service.tickets.findByCorrelation('t1')).toMatchObject({
      state: 'valid',
      status: 'running',
      data: { ticketId: 't1', desk: 'north' },
    });
    expect(module.get(Cashier, { strict: false }).charged).toEqual(['t1']);
  });

  it('undoes through what is injected into the saga class', async () => {
    const { module, lines } = await closing(boot([TicketModule]));
    const { bus } = module.get(TicketService, { strict: false });
    await bus.publish(new Opened({ ticketId: 't2' }));
    await lines.seen('paying → valid');
    await bus.publish(new Cancelled({ ticketId: 't2' }));
    await lines.seen('compensated');
    expect(module.get(Desk, { strict: false }).refunds).toEqual(['t2']);
  });

  it('runs a saga that the builder made', async () => {
    const feature = named('BuiltModule', {
      imports: [OrchestratorModule.forFeature([builtTicket])],
      providers: [Cashier, TicketService],
    });
    const { module, lines } = await closing(boot([feature]));
    const service = module.get(TicketService, { strict: false });
    await service.open('t3');
    await lines.seen('paying → valid');
    expect(await service.tickets.findByCorrelation('t3')).toMatchObject({ data: { desk: 'built' } });
  });

  it('lets a second module read the saga by registering it again', async () => {
    @Injectable()
    class Report {
      constructor(@Inject(getSagaRepositoryToken(ticketSaga)) readonly tickets: TicketService['tickets']) {}
    }
    const reports = named('ReportModule', {
      imports: [OrchestratorModule.forFeature([ticketSaga])],
      providers: [Report],
    });
    const { module, lines } = await closing(boot([TicketModule, reports]));
    await module.get(TicketService, { strict: false }).open('t4');
    await lines.seen('paying → valid');
    const { items } = await module.get(Report, { strict: false }).tickets.list();
    expect(items.map(({ data }) => data.ticketId)).toEqual(['t4']);
  });

  it('says at boot that without a store everything is lost at the end', async () => {
    const { lines } = await closing(boot([TicketModule]));
    const { lines: silent } = await closing(boot([TicketModule], { store: memoryStore() }));
    const warnings = ({ all }: LogLines) => all.filter(({ level }) => level === 'warn');
    expect(warnings(lines).map(({ message }) => message)).toEqual([expect.stringContaining('No store')]);
    expect(warnings(silent)).toEqual([]);
  });

  it('gives messages without a tenant the one of its options', async () => {
    const { module, lines } = await closing(boot([TicketModule], { tenant: 'acme' }));
    const service = module.get(TicketService, { strict: false });
    await service.open('t5');
    await lines.seen('paying → valid');
    const found = [
      await service.tickets.findByCorrelation('t5'),
      await service.tickets.findByCorrelation('t5', { tenant: 'default' }),
    ];
    expect(found.map((ticket) => ticket?.tenant)).toEqual(['acme', undefined]);
  });
});

describe('injectables', () => {
  @Injectable()
  class Wants {
    constructor(
      @Inject(MessageBus) readonly bus: MessageBus,
      @Inject(OrchestratorHealth) readonly health: OrchestratorHealth,
    ) {}
  }

  it('are there for the application module that imports forRoot', async () => {
    @Module({ imports: [OrchestratorModule.forRoot({ logger: new LogLines() })], providers: [Wants] })
    class AppModule {}
    const { module } = await closing(run([AppModule], new LogLines()));
    const { bus, health } = module.get(Wants, { strict: false });
    expect(bus).toBeInstanceOf(MessageBus);
    expect(health).toBeInstanceOf(OrchestratorHealth);
  });

  it('are there for a module that imports forFeature', async () => {
    const feature = named('FeatureModule', {
      imports: [OrchestratorModule.forFeature([])],
      providers: [Wants],
    });
    const { module } = await closing(boot([feature]));
    expect(module.get(Wants, { strict: false }).bus).toBe(module.get(MessageBus, { strict: false }));
  });

  it('are not there for others, unless the module is global', async () => {
    const stranger = named('StrangerModule', { providers: [Wants] });
    const lines = new LogLines();
    await expect(boot([stranger])).rejects.toThrow(/can't resolve dependencies of the Wants/);
    const root = OrchestratorModule.forRoot({ logger: lines, isGlobal: true });
    const { module } = await closing(run([root, stranger], lines));
    expect(module.get(Wants, { strict: false }).bus).toBeInstanceOf(MessageBus);
  });

  it('hold the same node in every feature module', async () => {
    const { module } = await closing(boot([TicketModule]));
    expect(module.get(TicketService, { strict: false }).bus).toBe(module.get(MessageBus, { strict: false }));
  });
});

describe('forRootAsync', () => {
  const settings = named('SettingsModule', {
    providers: [{ provide: 'TENANT', useValue: 'acme' }],
    exports: ['TENANT'],
  });

  it('makes its options from other providers', async () => {
    const lines = new LogLines();
    const root = OrchestratorModule.forRootAsync({
      imports: [settings],
      inject: ['TENANT'],
      useFactory: async (tenant: string) => Promise.resolve({ tenant, logger: lines }),
    });
    const { module } = await closing(run([root, TicketModule], lines));
    const service = module.get(TicketService, { strict: false });
    await service.open('t6');
    await lines.seen('paying → valid');
    expect(await service.tickets.findByCorrelation('t6', { tenant: 'acme' })).toBeDefined();
  });

  it('makes its options with a class', async () => {
    const lines = new LogLines();
    class Options {
      create() {
        return { tenant: 'by class', logger: lines };
      }
    }
    const root = OrchestratorModule.forRootAsync({ useClass: Options, isGlobal: true });
    const { module } = await closing(run([root, TicketModule], lines));
    await module.get(TicketService, { strict: false }).open('t7');
    await lines.seen('paying → valid');
    expect(lines.all.find(({ message }) => message.includes('created'))?.fields['tenant']).toBe('by class');
  });

  it('is refused when it yields nothing', async () => {
    const root = OrchestratorModule.forRootAsync({ useFactory: () => undefined as never });
    await expect(run([root], new LogLines())).rejects.toThrow(OrchestratorConfigurationError);
  });
});

describe('a configuration is refused', () => {
  it('with an option out of its range', async () => {
    await expect(boot([], { concurrency: 0 })).rejects.toThrow(
      "OrchestratorModule.forRoot() was given an option it can't use: Option 'concurrency' must be a positive number",
    );
  });

  it('with forFeature alone', async () => {
    await expect(run([TicketModule], new LogLines())).rejects.toThrow(
      'Add OrchestratorModule.forRoot({ … }) to the imports of the application module',
    );
  });

  it('with anything but definitions and behaviours in forFeature', () => {
    expect(() => OrchestratorModule.forFeature([Desk as never])).toThrow(
      /given class or function Desk at position 0\. It takes what defineSaga\(\), buildSaga\(\) or defineMachine\(\) returned/,
    );
    expect(() => OrchestratorModule.forFeature([ticketSaga, undefined as never])).toThrow(
      /given undefined at position 1.*circular import/,
    );
  });
});

describe('two applications in one process', () => {
  it('have sagas, handlers and stores of their own', async () => {
    const first = await closing(boot([TicketModule]));
    const second = await closing(boot([TicketModule]));
    await first.module.get(TicketService, { strict: false }).open('mine');
    await first.lines.seen('paying → valid');
    const found = [first, second].map(({ module }) => module.get(TicketService, { strict: false }).tickets);
    const tickets = await Promise.all(found.map((repository) => repository.findByCorrelation('mine')));
    expect(tickets.map((ticket) => ticket?.state)).toEqual(['valid', undefined]);
    expect(second.module.get(Cashier, { strict: false }).charged).toEqual([]);
  });

  it('end without each other', async () => {
    const first = await boot([TicketModule]);
    const second = await closing(boot([TicketModule]));
    await first.module.close();
    await second.module.get(TicketService, { strict: false }).open('after');
    await second.lines.seen('paying → valid');
    const health = await second.module.get(OrchestratorHealth, { strict: false }).check();
    expect(health.orchestrator.status).toBe('up');
  });
});
