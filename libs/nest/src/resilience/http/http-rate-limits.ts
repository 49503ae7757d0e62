import { createHash } from 'node:crypto';
import { HttpException, HttpStatus, Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RateLimitExceededError, type RateLimiter } from '@nestjs-orchestrator/core/resilience';
import { OrchestratorBootError, OrchestratorConfigurationError } from '../../boot-errors.js';
import { checkTenant, type TenantRequest } from '../../tenancy/tenant-source.js';
import type { OrchestratorModuleOptions } from '../../module/orchestrator-options.js';
import { ORCHESTRATOR_OPTIONS } from '../../module/orchestrator.tokens.js';
import { takeOrThrow } from '../policy-layers.js';
import { ResilienceRegistry } from '../resilience-registry.js';
import { clientNetwork } from './client-network.js';
import { rateLimitHeaders, seconds } from './rate-limit-headers.js';
import type { HttpRequest, RateLimitGuardOptions } from './rate-limit-guard.options.js';

const LONGEST_KEY = 256;

/** The part of {@link RateLimitGuard} that belongs to the application: its limiters, its tenant, its HTTP server. */
@Injectable()
export class HttpRateLimits {
  constructor(
    @Inject(ResilienceRegistry) private readonly registry: ResilienceRegistry,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(ORCHESTRATOR_OPTIONS) private readonly options: OrchestratorModuleOptions,
  ) {}

  /** @throws OrchestratorBootError for a limiter that nobody configured */
  assertKnown(name: string): void {
    if (this.registry.get('limiter', name) !== undefined) return;
    const known = this.registry.names('limiter');
    const list = known.length === 0 ? 'there are none' : `known are '${known.join("', '")}'`;
    const message = `RateLimitGuard('${name}') uses rate limiter '${name}'; ${list}. Add it to resilience.limiters of OrchestratorModule.forRoot().`;
    throw new OrchestratorBootError([{ code: 'UNKNOWN_NAME', message }]);
  }

  /**
   * Takes what a request costs, and writes the headers.
   *
   * @throws HttpException with status 429
   */
  async pass(name: string, options: RateLimitGuardOptions, context: ExecutionContext): Promise<true> {
    if (context.getType() !== 'http') {
      throw new OrchestratorConfigurationError(
        `RateLimitGuard('${name}') stands on ${context.getClass().name}.${context.getHandler().name}, which is called by ` +
          `'${context.getType()}', not by HTTP. Use @UseRateLimit on the provider that it calls.`,
      );
    }
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const response: unknown = context.switchToHttp().getResponse();
    const limiter = this.registry.get('limiter', name) as RateLimiter;
    const key = this.keyOf(request, options);
    const cost = typeof options.cost === 'function' ? options.cost(request) : options.cost;
    try {
      await takeOrThrow(limiter, key, cost);
    } catch (error) {
      if (!(error instanceof RateLimitExceededError)) throw error;
      await this.writeHeaders(response, name, limiter, key, options);
      this.header(response, 'Retry-After', String(seconds(error.retryAfterMs)));
      throw new HttpException(
        'Too many requests: wait as long as Retry-After says.',
        HttpStatus.TOO_MANY_REQUESTS,
        {
          cause: error,
        },
      );
    }
    await this.writeHeaders(response, name, limiter, key, options);
    return true;
  }

  /** The tenant is encoded, so that no key of one can be one of another; a long key is hashed, so that none is refused for its length. */
  private keyOf(request: HttpRequest, { key = addressOf, tenant }: RateLimitGuardOptions): string {
    const owner = tenant?.(request) ?? this.tenantOf(request) ?? 'default';
    const full = `${encodeURIComponent(owner)}:${key(request)}`;
    return full.length <= LONGEST_KEY ? full : `#sha256:${createHash('sha256').update(full).digest('hex')}`;
  }

  /** As `forRoot` says. */
  private tenantOf(request: HttpRequest): string | undefined {
    const { tenant } = this.options;
    if (typeof tenant !== 'function') return tenant;
    return checkTenant(tenant({ kind: 'http', request: request as TenantRequest }));
  }

  private async writeHeaders(
    response: unknown,
    name: string,
    limiter: RateLimiter,
    key: string,
    { headers = true }: RateLimitGuardOptions,
  ): Promise<void> {
    if (!headers) return;
    const view = await limiter.peek(key);
    const { policy, limit } = rateLimitHeaders({ name, view, perSecond: this.registry.rateOf(name) });
    // Several guards of one route make a list, as the draft has it.
    this.http.httpAdapter.appendHeader(response, 'RateLimit-Policy', policy);
    this.http.httpAdapter.appendHeader(response, 'RateLimit', limit);
  }

  private header(response: unknown, name: string, value: string): void {
    this.http.httpAdapter.setHeader(response, name, value);
  }
}

function addressOf({ ip, socket }: HttpRequest): string {
  return clientNetwork(ip ?? socket?.remoteAddress ?? '');
}
