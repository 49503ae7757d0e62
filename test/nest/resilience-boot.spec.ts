import { Controller, Get, Inject, Injectable, Scope, type ModuleMetadata } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { expect, it, onTestFinished } from 'vitest';
import {
  Handles,
  InjectCircuitBreaker,
  InjectRateLimiter,
  OrchestratorBootError,
  OrchestratorModule,
  UseBulkhead,
  UseCircuitBreaker,
  UseRateLimit,
  UseRetry,
  UseTimeout,
  type OrchestratorModuleOptions,
} from '@nestjs-orchestrator/nest';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { boot, named, run } from './support/application.js';
import { LogLines } from './support/log-lines.js';
import { Charge } from './support/ticket.js';

const store = (): Pick<OrchestratorModuleOptions, 'store'> => ({ store: memoryStore() });

/** Boots, expects a refusal, and says why. */
async function refusal(
  metadata: ModuleMetadata,
  resilience: OrchestratorModuleOptions['resilience'] = {},
): Promise<readonly string[]> {
  return faultsOf(boot([named('PayModule', metadata)], { ...store(), resilience }));
}

async function faultsOf(application: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await application.catch((reason: unknown) => reason);
  if (!(error instanceof OrchestratorBootError)) throw error;
  return error.faults.map((fault) => `${fault.code}: ${fault.message}`);
}

it('names that nobody configured are refused all at once, with those that are there', async () => {
  @Injectable()
  class Pay {
    constructor(
      @InjectCircuitBreaker('paymnets') readonly breaker: unknown,
      @InjectRateLimiter('api') readonly limiter: unknown,
    ) {}

    @UseCircuitBreaker('bank')
    async one(): Promise<void> {}

    @UseRateLimit('none')
    @UseBulkhead('slots')
    @UseRetry({ budget: 'shared' })
    async two(): Promise<void> {}
  }
  const breakers = { payments: {}, stock: {} };
  expect(await refusal({ providers: [Pay] }, { breakers })).toEqual([
    "UNKNOWN_NAME: Pay (in PayModule) injects rate limiter 'api'; there are none. Add it to resilience.limiters of " +
      'OrchestratorModule.forRoot().',
    "UNKNOWN_NAME: Pay (in PayModule) injects circuit breaker 'paymnets'; known are 'payments', 'stock'. Add it to " +
      'resilience.breakers of OrchestratorModule.forRoot().',
    "UNKNOWN_NAME: Pay.one (in PayModule) uses circuit breaker 'bank'; known are 'payments', 'stock'. Add it to " +
      'resilience.breakers of OrchestratorModule.forRoot().',
    expect.stringContaining("Pay.two (in PayModule) uses rate limiter 'none'; there are none."),
    expect.stringContaining("Pay.two (in PayModule) uses bulkhead 'slots'; there are none."),
    expect.stringContaining("Pay.two (in PayModule) uses retry budget 'shared'; there are none."),
  ]);
});

it('a name like a property of every object is unknown as well', async () => {
  @Injectable()
  class Pay {
    @UseCircuitBreaker('constructor')
    async one(): Promise<void> {}
  }
  expect(await refusal({ providers: [Pay] })).toEqual([
    expect.stringContaining("uses circuit breaker 'constructor'; there are none."),
  ]);
});

it('options that break their rule are refused with the method, or the name, they were given to', async () => {
  @Injectable()
  class Pay {
    @UseCircuitBreaker({ failureRatio: 2 })
    async one(): Promise<void> {}

    @UseTimeout('soon' as '1s')
    async two(): Promise<void> {}
  }
  expect(await refusal({ providers: [Pay] })).toEqual([
    "POLICY_OPTION: Pay.one (in PayModule): Option 'failureRatio' must be between 0 and 1; found 2.",
    expect.stringContaining("POLICY_OPTION: Pay.two (in PayModule): 'soon' is not a duration"),
  ]);
  await expect(
    boot([], { ...store(), resilience: { limiters: { api: { burstCapacity: -1 } } } }),
  ).rejects.toThrow(
    "can't make 'api' of resilience.limiters: Option 'burstCapacity' must be a finite number above zero; found -1.",
  );
});

it('providers that are not singletons are refused, through a dependency as well', async () => {
  @Injectable()
  class Session {
    constructor(@Inject(REQUEST) readonly request: unknown) {}
  }
  @Injectable()
  class ByRequest {
    constructor(@Inject(Session) readonly session: Session) {}

    @UseTimeout(1)
    async one(): Promise<void> {}
  }
  @Injectable({ scope: Scope.TRANSIENT })
  class Transient {
    @UseTimeout(1)
    async one(): Promise<void> {}
  }
  expect(await refusal({ providers: [ByRequest, Session, Transient] })).toEqual([
    'SCOPED_PROVIDER: ByRequest (in PayModule) has @Use… methods and is request-scoped, since it depends on REQUEST. Policies are put ' +
      'on singletons when the application starts: remove the scope, or move the methods to a provider without one.',
    expect.stringContaining('Transient (in PayModule) has @Use… methods and is transient.'),
  ]);
});

it('controllers are refused, whose routes would go past the policies', async () => {
  @Controller()
  class Pays {
    @Get()
    @UseTimeout(1)
    async one(): Promise<void> {}
  }
  expect(await refusal({ controllers: [Pays] })).toEqual([
    expect.stringContaining(
      'POLICY_ON_CONTROLLER: Pays (in PayModule) has @Use… methods and is a controller',
    ),
  ]);
});

it('handlers are refused, which would record twice what a retry runs again', async () => {
  @Injectable()
  class Clerk {
    @UseRetry()
    @Handles(Charge)
    async charge(): Promise<void> {}
  }
  expect(await refusal({ providers: [Clerk] })).toEqual([
    expect.stringContaining(
      'POLICY_ON_HANDLER: Clerk.charge (in PayModule) is a handler with @Use… decorators.',
    ),
  ]);
});

it('an instance is protected by one application at a time, and never if it is frozen', async () => {
  @Injectable()
  class Pay {
    @UseTimeout(1)
    async one(): Promise<void> {}
  }
  const given = (instance: Pay): ModuleMetadata => ({ providers: [{ provide: Pay, useValue: instance }] });
  const shared = new Pay();
  const { module } = await boot([named('FirstModule', given(shared))], store());
  onTestFinished(() => module.close());
  expect(await refusal(given(shared))).toEqual([
    expect.stringContaining(
      'SHARED_INSTANCE: Pay.one (in PayModule) has @Use… decorators and its instance already belongs',
    ),
  ]);
  expect(await refusal(given(Object.freeze(new Pay())))).toEqual([
    expect.stringContaining('SEALED_INSTANCE: Pay.one (in PayModule)'),
  ]);
  await module.close();
  const next = await boot([named('NextModule', given(shared))], store());
  await next.module.close();
  expect(Object.hasOwn(shared, 'one')).toBe(false);
});

it('forRootAsync says which names it brings', async () => {
  @Injectable()
  class Wants {
    constructor(@InjectRateLimiter('api') readonly api: unknown) {}
  }
  const lines = new LogLines();
  const root = OrchestratorModule.forRootAsync({
    useFactory: () => ({ ...store(), logger: lines, resilience: { limiters: { api: {} } } }),
    provides: { breakers: ['payments'] },
  });
  expect(await faultsOf(run([root, named('WantsModule', { providers: [Wants] })], lines))).toEqual([
    "UNKNOWN_NAME: forRootAsync announces breaker 'payments' in 'provides', which resilience.breakers of its options does not have.",
    "NOT_PROVIDED: Wants (in WantsModule) injects rate limiter 'api', which forRootAsync does not announce. Name it there: " +
      "provides: { limiters: ['api'] }.",
  ]);
});

it("decorators of a base class don't count, and a warning says so", async () => {
  class Base {
    @UseTimeout(1)
    async one(): Promise<void> {}
  }
  @Injectable()
  class Derived extends Base {}
  const { module, lines } = await boot([named('PayModule', { providers: [Derived] })], store());
  onTestFinished(() => module.close());
  expect(lines.all.map(({ message }) => message)).toContain(
    'Derived inherits Base.one; decorators count only for the class they stand in. Repeat them in Derived if it should handle these too.',
  );
});
