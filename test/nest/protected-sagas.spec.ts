import {
  circuitBreaker,
  type CircuitBreakerOptions,
  type Policy,
} from '@nestjs-orchestrator/core/resilience';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import {
  MessageBus,
  OrchestratorBootError,
  OrchestratorModule,
  defineSaga,
  getSagaRepositoryToken,
  message,
  sagaDecorators,
  type,
  type ContextOf,
  type OrchestratorModuleOptions,
  type SagaClassProtection,
  type SagaRepository,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { boot, named } from './support/application.js';

const body = z.object({ loan: z.string() });
class Asked extends message('loan.asked', body) {}
class Checked extends message('loan.checked', body) {}

const loanSaga = defineSaga({
  name: 'loan',
  version: 1,
  data: type<{ loan: string }>(),
  correlateBy: 'loan',
  states: ['asked'],
  ends: { checked: 'success' },
  events: [Asked, Checked],
});

/** A saga class of its own for each protection, and an application that has it. */
function loans(protect: SagaClassProtection<typeof loanSaga>) {
  const { Saga, StartedBy, On } = sagaDecorators(loanSaga);
  const bank = { down: false, tries: 0 };

  @Saga({ protect })
  class LoanSaga {
    @StartedBy(Asked, { to: 'asked' })
    onAsked({ event }: StartContextOf<typeof loanSaga, Asked>): { loan: string } {
      return { loan: event.loan };
    }

    @On(Checked, { during: 'asked', to: 'checked' })
    onChecked(_ctx: ContextOf<typeof loanSaga, Checked>): void {
      bank.tries += 1;
      if (bank.down) throw new Error('the bank is down');
    }
  }
  const imports = [OrchestratorModule.forFeature([loanSaga])];
  return { bank, module: named('LoanModule', { imports, providers: [LoanSaga] }) };
}

async function stage(
  protect: SagaClassProtection<typeof loanSaga>,
  resilience: OrchestratorModuleOptions['resilience'] = {},
) {
  const clock = new VirtualClock();
  const { bank, module } = loans(protect);
  const store = clock.tracked(memoryStore({ clock }), 'store');
  const { module: app } = await boot([module], { store, clock, resilience });
  onTestFinished(() => app.close());
  const bus = app.get(MessageBus);
  const repository = app.get<SagaRepository<typeof loanSaga>>(getSagaRepositoryToken(loanSaga), {
    strict: false,
  });
  const play = async (...events: object[]): Promise<void> => {
    for (const each of events) await bus.publish(each);
    await clock.settled();
  };
  const count = async (state: 'asked' | 'checked'): Promise<number> => {
    let found = 0;
    for await (const _ of repository.findByState(state)) found += 1;
    return found;
  };
  return { clock, bank, play, count };
}

const LOANS = ['a', 'b', 'c', 'd'];

describe('@Saga({ protect })', () => {
  it.each([
    [
      'by the name of a limiter',
      'loans',
      { limiters: { loans: { maxTransitionsPerSecond: 1, burstCapacity: 2 } } },
    ],
    ['by options', { maxTransitionsPerSecond: 1, burstCapacity: 2 }, {}],
  ] as const)(
    'limits what comes to the saga, %s, by the clock of the application',
    async (_title, limiter, resilience) => {
      const { clock, play, count } = await stage({ limiter, monitoredTriggers: [Checked] }, resilience);
      await play(...LOANS.map((loan) => new Asked({ loan })));
      await play(...LOANS.map((loan) => new Checked({ loan })));
      expect([await count('asked'), await count('checked')]).toEqual([2, 2]);
      await clock.advance('1m');
      expect([await count('asked'), await count('checked')]).toEqual([0, 4]);
    },
  );

  const broken: CircuitBreakerOptions = { consecutiveFailures: 1, breakDuration: 3_600_000 };
  it.each([
    ['by the name of a breaker', { breaker: 'bank' }],
    ['by options', { breaker: broken }],
    ['by one made elsewhere', { breaker: circuitBreaker(broken) }],
    ['by a function', { breaker: (): Policy => circuitBreaker(broken) }],
  ])('keeps messages back while handlers fail, %s', async (_title, protection) => {
    const { bank, play, count } = await stage(
      { ...protection, monitoredTriggers: [Checked] },
      { breakers: { bank: broken } },
    );
    await play(...LOANS.map((loan) => new Asked({ loan })));
    bank.down = true;
    for (const loan of LOANS) await play(new Checked({ loan }));
    expect([bank.tries, await count('asked')]).toEqual([1, 4]);
  });

  it.each([
    ["protects its saga by rate limiter 'loans'; there are none.", { limiter: 'loans' }],
    ["protects its saga by circuit breaker 'bank'; there are none.", { breaker: 'bank' }],
    ["Option 'limiter' or breaker must be given", {}],
    ["Option 'burstCapacity' must", { limiter: { burstCapacity: -1 } }],
    ["Option 'failureRatio' must", { breaker: { failureRatio: 2 } }],
    ["Option 'per' must", { limiter: {}, per: 'planet' as never }],
  ] as const)('%s: refused at boot', async (reason, protect) => {
    const { module } = loans(protect);
    const error: unknown = await boot([module], { store: memoryStore() }).catch((reason: unknown) => reason);
    if (!(error instanceof OrchestratorBootError)) throw error;
    expect(error.faults).toHaveLength(1);
    expect(error.message).toContain('LoanSaga (in LoanModule)');
    expect(error.message).toContain(reason);
  });
});
