import { Injectable, Module } from '@nestjs/common';
// #region import
import {
  CallSignal,
  InjectCircuitBreaker,
  OrchestratorModule,
  RateLimitGuard,
  UseCircuitBreaker,
  UseFallback,
  UseRateLimit,
  UseRetry,
  UseTimeout,
  getCircuitBreakerToken,
  policy,
  protectClient,
  type CircuitBreaker,
  type MicroserviceClient,
} from '@nestjs-orchestrator/nest';
// #endregion
import { timeout } from '@nestjs-orchestrator/core/resilience';
import { Controller, Get, UseGuards } from '@nestjs/common';

// #region module
@Module({
  imports: [
    OrchestratorModule.forRoot({
      resilience: {
        breakers: { payments: { failureRatio: 0.5, breakDuration: 30_000 } },
        limiters: { api: { maxTransitionsPerSecond: 10, burstCapacity: 20 } },
        retryBudgets: { payments: { ratio: 0.1 } },
      },
    }),
  ],
})
export class AppModule {}
// #endregion

interface Receipt {
  readonly id: string;
}
declare function post(path: string, signal: AbortSignal | undefined): Promise<Receipt>;

// #region methods
@Injectable()
export class PaymentClient {
  constructor(@InjectCircuitBreaker('payments') private readonly breaker: CircuitBreaker) {}

  @UseRetry({ maxAttempts: 3, budget: 'payments' }) // outermost: each attempt passes what stands below
  @UseCircuitBreaker('payments')
  @UseTimeout('2s')
  charge(orderId: string, @CallSignal() signal?: AbortSignal): Promise<Receipt> {
    return post(`/charges/${orderId}`, signal);
  }

  @UseFallback(() => undefined)
  @UseRateLimit<[tenant: string]>('api', { key: (tenant) => tenant })
  async receipt(_tenant: string): Promise<Receipt | undefined> {
    return this.breaker.execute((signal) => post('/receipts', signal));
  }
}
// #endregion

// #region guard
@Controller()
export class ApiController {
  @Get('rates')
  @UseGuards(RateLimitGuard('api')) // by tenant and client address; or RateLimitGuard('api', { key: (request) => … })
  rates(): string {
    return 'ok';
  }
}
// #endregion

// #region client
export const protectedPayments = {
  provide: 'PAYMENTS',
  inject: ['PAYMENTS_CLIENT', getCircuitBreakerToken('payments')],
  useFactory: (client: MicroserviceClient, breaker: CircuitBreaker) =>
    protectClient(client, policy(breaker, timeout(2_000))),
};
// #endregion
