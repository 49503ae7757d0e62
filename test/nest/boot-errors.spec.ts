import { Inject, Injectable, Scope, type ModuleMetadata } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Handles,
  OrchestratorBootError,
  OrchestratorModule,
  SagaDefinitionError,
  buildSaga,
  defineSaga,
  message,
  sagaDecorators,
  type,
  type ContextOf,
} from '@nestjs-orchestrator/nest';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { boot, named } from './support/application.js';
import { Cashier, Charge, Desk, Opened, TicketSaga, builtTicket, ticketSaga } from './support/ticket.js';

type Imports = NonNullable<ModuleMetadata['imports']>;

/** Boots, expects a refusal before the store was touched, and says why. */
async function refusal(imports: Imports): Promise<readonly string[]> {
  const store = memoryStore();
  let started = false;
  const start = store.start.bind(store);
  store.start = async () => {
    started = true;
    await start();
  };
  const error: unknown = await boot(imports, { store }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(started).toBe(false);
  if (error instanceof OrchestratorBootError)
    return error.faults.map((fault) => `${fault.code}: ${fault.message}`);
  if (error instanceof SagaDefinitionError)
    return error.faults.map((fault) => `${fault.path}: ${fault.message}`);
  throw error;
}

const feature = OrchestratorModule.forFeature([ticketSaga]);
const tickets = named('TicketModule', { imports: [feature], providers: [TicketSaga, Desk] });

describe('a definition', () => {
  it('needs a class or a builder', async () => {
    expect(await refusal([named('TicketModule', { imports: [feature] })])).toEqual([
      "MISSING_SAGA_CLASS: saga 'ticket' version 1, registered by TicketModule, has no behaviour. Add its @Saga() class to the " +
        'providers of a module, or give forFeature what buildSaga(definition, …) returns.',
    ]);
  });

  it('is one object for one name and version', async () => {
    const twin = defineSaga({
      name: 'ticket',
      version: 1,
      data: type<{ ticketId: string }>(),
      correlateBy: 'ticketId',
      states: ['open'],
      ends: { done: 'success' },
      events: [Opened],
    });
    const built = buildSaga(twin, (saga) => {
      saga
        .initially()
        .when(Opened)
        .then((ctx) => ({ ticketId: ctx.event.ticketId }))
        .transitionTo('open');
      saga.during('open').after('1h').finalize('done');
    });
    const other = named('OtherModule', { imports: [OrchestratorModule.forFeature([built])] });
    expect(await refusal([tickets, other])).toEqual([
      "DUPLICATE_SAGA: saga 'ticket' version 1 is defined twice: registered by TicketModule and, as another definition, by " +
        'OtherModule. Share one defineSaga(), or give the newer one the next version.',
    ]);
  });
});

describe('a saga class', () => {
  it('needs a registered definition', async () => {
    expect(await refusal([named('LoneModule', { providers: [TicketSaga, Desk] })])).toEqual([
      "UNREGISTERED_SAGA: TicketSaga (in LoneModule) is the @Saga() of saga 'ticket' version 1, which no forFeature registers. " +
        'Add OrchestratorModule.forFeature([definition]) to the imports of LoneModule.',
    ]);
  });

  it('is told when another definition of its name is the registered one', async () => {
    const twin = { ...ticketSaga } as typeof ticketSaga;
    const imports = [OrchestratorModule.forFeature([twin])];
    const faults = await refusal([named('TwinModule', { imports, providers: [TicketSaga, Desk] })]);
    expect(faults).toEqual([
      expect.stringMatching(
        /^UNREGISTERED_SAGA: TicketSaga .* Another definition of that name is registered: use the same/,
      ),
      expect.stringMatching(/^MISSING_SAGA_CLASS/),
    ]);
  });

  it('is provided once', async () => {
    const again = named('AgainModule', { providers: [TicketSaga, Desk] });
    expect(await refusal([tickets, again])).toEqual([
      "DUPLICATE_SAGA_CLASS: saga 'ticket' version 1 has 2 behaviours: TicketSaga (in TicketModule) and TicketSaga (in " +
        'AgainModule). Provide one of them, in one module; others reach its instances through @InjectSagaRepository.',
    ]);
  });

  it('does not stand beside a built one', async () => {
    const built = named('BuiltModule', { imports: [OrchestratorModule.forFeature([builtTicket])] });
    expect(await refusal([tickets, built])).toEqual([
      expect.stringContaining('has 2 behaviours: TicketSaga (in TicketModule) and buildSaga.'),
    ]);
  });

  it('may have any number of aliases', async () => {
    const providers = [
      TicketSaga,
      Desk,
      { provide: 'alias', useExisting: TicketSaga },
      { provide: 'same', useFactory: (saga: TicketSaga) => saga, inject: [TicketSaga] },
    ];
    const { module } = await boot([named('AliasModule', { imports: [feature], providers })]);
    onTestFinished(() => module.close());
    expect(module.get('alias', { strict: false })).toBe(module.get(TicketSaga, { strict: false }));
  });

  it('needs @Saga() as well as its handlers', async () => {
    const { On } = sagaDecorators(ticketSaga);
    @Injectable()
    class Half {
      @On(Opened, { during: 'paying' })
      onOpened(_ctx: ContextOf<typeof ticketSaga, Opened>) {}
    }
    expect(await refusal([tickets, named('HalfModule', { providers: [Half] })])).toEqual([
      "MISSING_SAGA_DECORATOR: Half (in HalfModule) has handlers of saga 'ticket' version 1, but no @Saga(). Decorate the class " +
        'with it.',
    ]);
  });

  it('is a singleton', async () => {
    const providers = [
      { provide: TicketSaga, useClass: TicketSaga, scope: Scope.TRANSIENT },
      { provide: 'alias', useExisting: TicketSaga },
      Desk,
    ];
    expect(await refusal([named('ScopedModule', { imports: [feature], providers })])).toEqual([
      expect.stringMatching(
        /^SCOPED_PROVIDER: TicketSaga \(in ScopedModule\), the class of saga 'ticket' version 1, is transient\./,
      ),
    ]);
  });
});

describe('what a class adds to a definition', () => {
  class Pinged extends message('ping.pinged', type<{ id: string }>()) {}
  const ping = defineSaga({
    name: 'ping',
    version: 1,
    data: type<{ id: string }>(),
    correlateBy: 'id',
    states: ['waiting'],
    ends: { done: 'success' },
    events: [Pinged],
    compensations: { unping: type<{ id: string }>() },
  });
  const { Saga, StartedBy, On, Compensation } = sagaDecorators(ping);

  it('names states and compensations that exist, and all compensations', async () => {
    @Saga()
    class Ping {
      @StartedBy(Pinged, { to: 'waiting' })
      start() {
        return { id: '' };
      }

      @On(Pinged, { during: 'wating' as 'waiting', to: 'gone' as 'done' })
      gone() {}

      @Compensation('unpng' as 'unping')
      async unping() {}
    }
    const imports = [OrchestratorModule.forFeature([ping])];
    expect(await refusal([named('PingModule', { imports, providers: [Ping] })])).toEqual([
      "Ping.gone: during 'wating': 'wating' is no state of the saga. States: waiting",
      "Ping.gone: to 'gone': no state of the saga. Known: waiting, done",
      "Ping: does not implement compensation 'unping'",
      "Ping: implements compensation 'unpng', which 'compensations' of defineSaga does not declare",
    ]);
  });
});

describe('a handler', () => {
  @Injectable()
  class OtherCashier {
    @Handles(Charge, { name: 'cashier.charge' })
    take() {}
  }

  it('has a name of its own', async () => {
    const others = named('OtherModule', { providers: [OtherCashier] });
    expect(await refusal([named('CashierModule', { providers: [Cashier] }), others])).toEqual([
      "DUPLICATE_HANDLER: OtherCashier.take (in OtherModule) and Cashier.charge (in CashierModule) are both named 'cashier.charge', " +
        "which is part of stored rows. Give one of them another with @Handles(Message, { name: '…' }), or provide the class in one " +
        'module only.',
    ]);
  });

  it('has a name that says something', async () => {
    @Injectable()
    class Nameless {
      @Handles(Charge, { name: ' ' })
      take() {}
    }
    expect(await refusal([named('NamelessModule', { providers: [Nameless] })])).toEqual([
      "HANDLER_NAME: Nameless.take (in NamelessModule) is named ' '; a handler's name has 1 to 200 characters.",
    ]);
  });

  it('takes a whole number of messages at a time', async () => {
    @Injectable()
    class Greedy {
      @Handles(Charge, { concurrency: 0.5 })
      take() {}
    }
    expect(await refusal([named('GreedyModule', { providers: [Greedy] })])).toEqual([
      "HANDLER_CONCURRENCY: Greedy.take (in GreedyModule) is to take 0.5 messages at a time; 'concurrency' is a positive whole number.",
    ]);
  });

  it('is no part of a request, not through a dependency either', async () => {
    @Injectable()
    class Session {
      constructor(@Inject(REQUEST) readonly request: unknown) {}
    }
    @Injectable()
    class Scoped {
      constructor(@Inject(Session) readonly session: Session) {}

      @Handles(Charge)
      charge() {}
    }
    expect(await refusal([named('ScopedModule', { providers: [Scoped, Session] })])).toEqual([
      'SCOPED_PROVIDER: Scoped (in ScopedModule) has @Handles methods and is request-scoped, since it depends on REQUEST. Handlers ' +
        'are called outside of requests: remove the scope, or move them to a provider without one.',
    ]);
  });
});

describe('an application', () => {
  it('is told all its faults at once', async () => {
    const lone = named('LoneModule', { providers: [TicketSaga, Desk, Cashier] });
    const again = named('AgainModule', { providers: [Cashier] });
    const codes = (await refusal([lone, again])).map((fault) => fault.split(':')[0]);
    expect(codes).toEqual(['UNREGISTERED_SAGA', 'DUPLICATE_HANDLER']);
  });

  it('has one forRoot', async () => {
    const second = OrchestratorModule.forRoot({ store: memoryStore() });
    expect(await refusal([second])).toEqual([
      'DUPLICATE_ROOT: OrchestratorModule.forRoot() was called more than once. Call it in the application module and use ' +
        'forFeature elsewhere.',
    ]);
  });

  it('is warned of handlers that a base class has', async () => {
    @Injectable()
    class SpecialCashier extends Cashier {}
    const special = named('SpecialModule', { providers: [{ provide: Cashier, useClass: SpecialCashier }] });
    const { module, lines } = await boot([special]);
    onTestFinished(() => module.close());
    expect(lines.all.map((line) => line.message)).toContain(
      'SpecialCashier inherits Cashier.charge; decorators count only for the class they stand in. ' +
        'Repeat them in SpecialCashier if it should handle these too.',
    );
  });
});
