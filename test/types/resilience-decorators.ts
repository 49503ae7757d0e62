import {
  InjectCircuitBreaker,
  InjectRateLimiter,
  UseBulkhead,
  UseCircuitBreaker,
  UseFallback,
  UseRateLimit,
  UseRetry,
  UseTimeout,
} from '@nestjs-orchestrator/nest';

/** Each line marked with an expected error must not compile; the lines beside them must. */
export class Promises {
  // @ts-expect-error returns no promise
  @UseCircuitBreaker('payments')
  a(): number {
    return 1;
  }

  // @ts-expect-error returns nothing
  @UseRetry()
  b(): void {}

  // @ts-expect-error returns a promise only now and then
  @UseTimeout('2s')
  c(): Promise<number> | number {
    return 1;
  }

  // @ts-expect-error is no method
  @UseBulkhead('slots')
  d = async (): Promise<void> => {};

  @UseCircuitBreaker('payments')
  @UseRetry({ maxAttempts: 2, budget: 'payments' })
  @UseTimeout('2s')
  @UseBulkhead({ maxConcurrent: 2 })
  @UseRateLimit('api')
  async ok(_order: { id: string }, _count?: number): Promise<number> {
    return 1;
  }

  @UseTimeout(500)
  generic<T>(value: T): Promise<T> {
    return Promise.resolve(value);
  }
}

export class Options {
  // @ts-expect-error misspelt option
  @UseCircuitBreaker({ failureRato: 0.5 })
  async a(): Promise<void> {}

  // @ts-expect-error no duration
  @UseTimeout('2 seconds')
  async b(): Promise<void> {}

  // @ts-expect-error a budget is named, so that applications don't share it
  @UseRetry({ budget: {} })
  async c(): Promise<void> {}
}

export class Keys {
  // @ts-expect-error the key is made of a number, the method takes a text
  @UseRateLimit<[id: number]>('api', { key: (id) => String(id) })
  async a(_id: string): Promise<void> {}

  // @ts-expect-error a key is a text
  @UseRateLimit<[id: number]>('api', { key: (id) => id })
  async b(_id: number): Promise<void> {}

  @UseRateLimit<[id: number, name?: string]>('api', {
    key: (id) => String(id),
    cost: (_id, name = '') => name.length,
  })
  async ok(_id: number, _name?: string): Promise<void> {}
}

export class Fallbacks {
  readonly last = 1;

  // @ts-expect-error the method returns a number
  @UseFallback(() => 'text')
  async a(): Promise<number> {
    return 1;
  }

  // @ts-expect-error the fallback is of another class
  @UseFallback((_error, promises: Promises) => promises.ok({ id: '' }))
  async b(): Promise<number> {
    return 1;
  }

  @UseFallback((_error, fallbacks: Fallbacks) => fallbacks.last)
  async ok(): Promise<number> {
    return 1;
  }

  @UseFallback(async () => undefined)
  async nothing(): Promise<number | undefined> {
    return 1;
  }
}

export class Injected {
  constructor(
    @InjectCircuitBreaker('payments') readonly breaker: unknown,
    @InjectRateLimiter('api') readonly limiter: unknown,
    // @ts-expect-error a name is a text
    @InjectRateLimiter(1) readonly other: unknown,
  ) {}
}
