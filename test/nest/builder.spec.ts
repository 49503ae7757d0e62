import { expect, it, onTestFinished } from 'vitest';
import {
  MessageBus,
  OrchestratorModule,
  buildSaga,
  defineSaga,
  getSagaRepositoryToken,
  message,
  type,
  type SagaRepository,
} from '@nestjs-orchestrator/nest';
import { boot, named } from './support/application.js';

class Asked extends message('loan.asked', type<{ loanId: string }>()) {}
class Rated extends message('loan.rated', type<{ loanId: string; score: number }>()) {}
class Signed extends message('loan.signed', type<{ loanId: string; yes: boolean }>()) {}
class Pinged extends message('loan.pinged', type<{ loanId: string }>()) {}

const loanSaga = defineSaga({
  name: 'loan',
  version: 1,
  data: type<{ loanId: string; score?: number }>(),
  correlateBy: 'loanId',
  states: ['rating', 'signing', 'reviewing'],
  ends: { paid: 'success', refused: 'undo' },
  events: [Asked, Rated, Signed, Pinged],
});

/** Guards write down that they were asked. */
function loan(asked: string[]) {
  const guard = (name: string, holds: boolean): boolean => {
    asked.push(name);
    return holds;
  };
  return buildSaga(loanSaga, (saga) => {
    saga
      .initially()
      .when(Asked)
      .then((ctx) => ({ loanId: ctx.event.loanId }))
      .transitionTo('rating');
    saga
      .during('rating')
      .when(Rated)
      .if(({ event }) => guard('good', event.score > 700))
      .then((ctx) => {
        ctx.data.score = ctx.event.score;
      })
      .transitionTo('signing')
      .elseIf(({ event }) => guard('fair', event.score > 500))
      .transitionTo('reviewing')
      .else()
      .finalize('refused');
    saga
      .during('signing', 'reviewing')
      .when(Signed)
      .then(async (ctx) => (ctx.event.yes ? 'paid' : 'refused'))
      .transitionToOneOf('paid', 'refused');
    saga.during('rating').when(Pinged).transitionTo('reviewing');
    saga.duringAny().when(Pinged).ignore();
  });
}

it.each([
  { score: 800, way: 'rating → signing', asked: ['good'] },
  { score: 600, way: 'rating → reviewing', asked: ['good', 'fair'] },
  { score: 100, way: 'rating → refused', asked: ['good', 'fair'] },
])('asks each condition once, until one holds: $way', async ({ score, way, asked }) => {
  const { bus, lines, guards } = await application();
  await bus.publish(new Asked({ loanId: '1' }));
  await bus.publish(new Rated({ loanId: '1', score }));
  await lines.seen(way);
  expect(guards).toEqual(asked);
});

it('goes where the handler says, and ignores in any state but those that answer', async () => {
  const { bus, lines, loans } = await application();
  await bus.publish(new Asked({ loanId: '2' }));
  await bus.publish(new Pinged({ loanId: '2' }));
  await lines.seen('rating → reviewing');
  await bus.publish(new Pinged({ loanId: '2' }));
  await bus.publish(new Signed({ loanId: '2', yes: true }));
  await lines.seen('reviewing → paid');
  const found = await loans.findByCorrelation('2');
  expect(found).toMatchObject({ state: 'paid', status: 'completed' });
  const told = await loans.history(found?.id ?? '');
  expect(told.map(({ from, to }) => `${from ?? ''} → ${to}`)).toEqual([
    ' → rating',
    'rating → reviewing',
    'reviewing → reviewing',
    'reviewing → paid',
  ]);
});

async function application() {
  const guards: string[] = [];
  const imports = [OrchestratorModule.forFeature([loan(guards)])];
  const { module, lines } = await boot([named('LoanModule', { imports })]);
  onTestFinished(() => module.close());
  const bus = module.get(MessageBus, { strict: false });
  const loans = module.get<SagaRepository<typeof loanSaga>>(getSagaRepositoryToken(loanSaga), {
    strict: false,
  });
  return { bus, lines, loans, guards };
}
