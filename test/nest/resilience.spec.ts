import { Injectable } from '@nestjs/common';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CallSignal,
  CallTimeoutError,
  CircuitBreaker,
  CircuitOpenError,
  InjectCircuitBreaker,
  InjectRateLimiter,
  OrchestratorModule,
  RateLimitExceededError,
  UseBulkhead,
  UseCircuitBreaker,
  UseFallback,
  UseRateLimit,
  UseRetry,
  UseTimeout,
  getCircuitBreakerToken,
  type OrchestratorModuleOptions,
  type RateLimiter,
} from '@nestjs-orchestrator/nest';
import { circuitBreaker, rateLimiter } from '@nestjs-orchestrator/core/resilience';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { boot, named, run } from './support/application.js';
import { LogLines } from './support/log-lines.js';

/** Boots one provider class; its calls go by the virtual clock. */
async function started<T extends object>(
  provider: new (...args: never[]) => T,
  resilience: OrchestratorModuleOptions['resilience'] = {},
) {
  const clock = new VirtualClock();
  const module = named('PaymentsModule', { providers: [provider] });
  const store = memoryStore({ clock });
  const { module: app, lines } = await boot([module], { store, clock, resilience });
  onTestFinished(() => app.close());
  return { service: app.get<T>(provider, { strict: false }), app, clock, lines };
}

describe('@UseCircuitBreaker', () => {
  @Injectable()
  class Payments {
    calls = 0;

    @UseCircuitBreaker('payments')
    charge(amount: number): Promise<string> {
      this.calls += 1;
      return amount < 0 ? Promise.reject(new Error('refused')) : Promise.resolve(`charged ${amount}`);
    }

    @UseCircuitBreaker('payments')
    async refund(): Promise<string> {
      return 'refunded';
    }
  }
  const resilience = { breakers: { payments: { consecutiveFailures: 2, breakDuration: 1_000 } } };

  it('keeps arguments, this and result, and calls nothing while it is open', async () => {
    const { service } = await started(Payments, resilience);
    expect(await service.charge(5)).toBe('charged 5');
    await expect(service.charge(-1)).rejects.toThrow('refused');
    await expect(service.charge(-1)).rejects.toThrow('refused');
    await expect(service.charge(5)).rejects.toThrow(CircuitOpenError);
    expect(service.calls).toBe(3);
  });

  it('is one for all methods that name it, by the clock of the application, and says in the log that it opened', async () => {
    const { service, clock, lines } = await started(Payments, resilience);
    await expect(service.charge(-1)).rejects.toThrow('refused');
    await expect(service.charge(-1)).rejects.toThrow('refused');
    await expect(service.refund()).rejects.toThrow(/'payments' is open/);
    await clock.advance(1_000);
    expect(await service.refund()).toBe('refunded');
    const told = lines.all.filter(({ fields }) => 'breaker' in fields);
    expect(told.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      "warn: Circuit breaker 'payments': closed → open (consecutive-failures) for 1000 ms",
      "info: Circuit breaker 'payments': open → half-open (break-over)",
      "info: Circuit breaker 'payments': half-open → closed (probes-succeeded)",
    ]);
  });

  it('is another one in each application of the process, and leaves the class as it was', async () => {
    const charge = Payments.prototype.charge;
    const [first, second] = [await started(Payments, resilience), await started(Payments, resilience)];
    await expect(first.service.charge(-1)).rejects.toThrow('refused');
    await expect(first.service.charge(-1)).rejects.toThrow('refused');
    await expect(first.service.charge(1)).rejects.toThrow(CircuitOpenError);
    expect(await second.service.charge(1)).toBe('charged 1');
    expect(Payments.prototype.charge).toBe(charge);
    await first.app.close();
    expect(await first.service.charge(1)).toBe('charged 1');
  });

  it('may be made of options, for the method alone', async () => {
    @Injectable()
    class Alone {
      @UseCircuitBreaker({ consecutiveFailures: 1 })
      async one(): Promise<void> {
        throw new Error('one failed');
      }

      @UseCircuitBreaker({ consecutiveFailures: 1 })
      async two(): Promise<string> {
        return 'two';
      }
    }
    const { service } = await started(Alone);
    await expect(service.one()).rejects.toThrow('one failed');
    await expect(service.one()).rejects.toThrow("Circuit breaker 'Alone.one' is open");
    expect(await service.two()).toBe('two');
  });

  it('protects calls through this', async () => {
    @Injectable()
    class Inner {
      async outer(): Promise<string> {
        return this.inner();
      }

      @UseFallback(() => 'instead')
      async inner(): Promise<string> {
        throw new Error('failed');
      }
    }
    const { service } = await started(Inner);
    expect(await service.outer()).toBe('instead');
  });
});

describe('@UseRateLimit', () => {
  @Injectable()
  class Api {
    readonly done: string[] = [];

    @UseRateLimit<[tenant: string, size?: number]>('api', {
      key: (tenant) => tenant,
      cost: (_tenant, size = 1) => size,
    })
    async read(tenant: string, _size?: number): Promise<void> {
      this.done.push(tenant);
    }

    @UseRateLimit('api', { wait: true, key: 'waiting' })
    async wait(): Promise<void> {
      this.done.push('waited');
    }
  }
  const resilience = { limiters: { api: { maxTransitionsPerSecond: 1, burstCapacity: 2 } } };

  it('refuses by key and cost made from the arguments, and says when to come again', async () => {
    const { service } = await started(Api, resilience);
    await service.read('acme', 2);
    await service.read('other');
    const error: unknown = await service.read('acme').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RateLimitExceededError);
    expect(error).toMatchObject({ key: 'acme', retryAfterMs: 1_000 });
    expect(service.done).toEqual(['acme', 'other']);
  });

  it('waits in line if it should', async () => {
    const { service, clock } = await started(Api, resilience);
    await Promise.all([service.wait(), service.wait()]);
    const third = service.wait();
    await clock.advance(999);
    expect(service.done).toHaveLength(2);
    await clock.advance(1);
    await third;
    expect(service.done).toHaveLength(3);
  });

  it('takes a limiter made elsewhere, whose answers are promises', async () => {
    const local = rateLimiter({ burstCapacity: 1, maxTransitionsPerSecond: 0.001 });
    const shared: RateLimiter = {
      tryAcquire: async (key, cost) => local.tryAcquire(key, cost),
      acquire: (key, cost, signal) => local.acquire(key, cost, signal),
      peek: async (key) => local.peek(key),
      reset: async (key) => local.reset(key),
    };
    const { service } = await started(Api, { limiters: { api: shared } });
    await service.read('acme');
    await expect(service.read('acme')).rejects.toThrow(RateLimitExceededError);
  });
});

describe('several decorators', () => {
  it('are passed from the top to the bottom', async () => {
    @Injectable()
    class Rates {
      attempts = 0;

      @UseFallback((error, rates: Rates) => `after ${rates.attempts}: ${(error as Error).name}`)
      @UseRetry({ maxAttempts: 5, backoff: { kind: 'fixed', delay: 10 } })
      @UseCircuitBreaker({ consecutiveFailures: 2 })
      async read(): Promise<string> {
        this.attempts += 1;
        throw new Error('away');
      }
    }
    const { service, clock } = await started(Rates);
    const result = service.read();
    await clock.advance(100);
    // Two attempts reach the method; the breaker answers the other three.
    expect(await result).toBe('after 2: CircuitOpenError');
  });

  it('give each attempt its own time when the time-out stands below', async () => {
    @Injectable()
    class Slow {
      readonly reasons: unknown[] = [];

      @UseRetry({ maxAttempts: 2, backoff: { kind: 'fixed', delay: 1 } })
      @UseTimeout('2s')
      read(_path: string, @CallSignal() signal?: AbortSignal): Promise<void> {
        return new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => {
            this.reasons.push(signal.reason);
            reject(signal.reason);
          }),
        );
      }
    }
    const { service, clock } = await started(Slow);
    const result = service.read('/').catch((error: unknown) => error);
    await clock.advance(4_001);
    expect(await result).toBeInstanceOf(CallTimeoutError);
    expect(service.reasons).toHaveLength(2);
  });

  it("end with the caller's signal, also while they wait", async () => {
    @Injectable()
    class Busy {
      calls = 0;

      @UseBulkhead({ maxConcurrent: 1, maxQueue: 1 })
      read(@CallSignal() _signal?: AbortSignal): Promise<void> {
        this.calls += 1;
        return new Promise(() => {});
      }
    }
    const { service } = await started(Busy);
    void service.read();
    const caller = new AbortController();
    const waiting = service.read(caller.signal);
    caller.abort(new Error('changed my mind'));
    await expect(waiting).rejects.toThrow('changed my mind');
    expect(service.calls).toBe(1);
  });

  it('share a named bulkhead and a named budget', async () => {
    @Injectable()
    class Shared {
      attempts = 0;

      @UseBulkhead('slots')
      hold(): Promise<void> {
        return new Promise(() => {});
      }

      @UseBulkhead('slots')
      async other(): Promise<void> {}

      @UseRetry({ budget: 'retries', backoff: { kind: 'fixed', delay: 1 }, maxAttempts: 9 })
      async fails(): Promise<void> {
        this.attempts += 1;
        throw new Error('down');
      }
    }
    const { service, clock } = await started(Shared, {
      bulkheads: { slots: { maxConcurrent: 1 } },
      retryBudgets: { retries: { ratio: 0, capacity: 2, perSecond: 0.000_001 } },
    });
    void service.hold();
    await expect(service.other()).rejects.toThrow('Bulkhead is full');
    const failed = service.fails().catch(() => service.attempts);
    await clock.advance(100);
    // The call, two saved retries, and the one that a trickle holds at first.
    expect(await failed).toBe(4);
  });
});

describe('injection by name', () => {
  @Injectable()
  class Wants {
    constructor(
      @InjectCircuitBreaker('payments') readonly payments: CircuitBreaker,
      @InjectRateLimiter('api') readonly api: RateLimiter,
    ) {}
  }
  const resilience = { breakers: { payments: {} }, limiters: { api: {} } };

  it('gives any module the objects that the decorators use', async () => {
    const { service, app } = await started(Wants, resilience);
    expect(service.payments).toBeInstanceOf(CircuitBreaker);
    expect(service.payments).toBe(app.get(getCircuitBreakerToken('payments'), { strict: false }));
    expect(await service.api.tryAcquire()).toBe(true);
  });

  it('gives what forRootAsync announces, made elsewhere as well', async () => {
    const shared = circuitBreaker({ name: 'shared' });
    const lines = new LogLines();
    const root = OrchestratorModule.forRootAsync({
      useFactory: () => ({
        logger: lines,
        store: memoryStore(),
        resilience: { ...resilience, breakers: { payments: shared } },
      }),
      provides: { breakers: ['payments'], limiters: ['api'] },
    });
    const { module } = await run([root, named('WantsModule', { providers: [Wants] })], lines);
    onTestFinished(() => module.close());
    expect(module.get(Wants, { strict: false }).payments).toBe(shared);
  });

  it('works for properties', async () => {
    @Injectable()
    class Property {
      @InjectRateLimiter('api') readonly api!: RateLimiter;
    }
    const { service } = await started(Property, resilience);
    expect(await service.api.tryAcquire()).toBe(true);
  });

  it('reaches constructors of base classes', async () => {
    @Injectable()
    class Derived extends Wants {}
    const { service } = await started(Derived, resilience);
    expect(service.payments).toBeInstanceOf(CircuitBreaker);
  });
});

it('keeps what other libraries have written on the method', async () => {
  const mark = (value: string) => (target: object, key: string) =>
    Reflect.defineMetadata('other', value, (target as Record<string, object>)[key] as object);
  @Injectable()
  class Marked {
    @mark('cron')
    @UseTimeout(1_000)
    async tick(_at: number): Promise<void> {}
  }
  const { service } = await started(Marked);
  expect(Reflect.getMetadata('other', service.tick)).toBe('cron');
  expect([service.tick.name, service.tick.length]).toEqual(['tick', 1]);
});
