import type { ExecutionContext } from '@nestjs/common';
import { OrchestratorError } from '@nestjs-orchestrator/core';

/** Where a tenant is read from: a request of HTTP, or a message of a Nest microservice or gateway. */
export type TenantSource =
  | {
      readonly kind: 'http';
      /** The request of the HTTP adapter. */
      readonly request: TenantRequest;
    }
  | {
      readonly kind: 'rpc' | 'ws';
      /** The pattern's payload. */
      readonly data: unknown;
      /** The transport's context (`RmqContext`, `RedisContext`, …), or the socket. */
      readonly context: unknown;
    };

/** What requests of all HTTP adapters have. */
export interface TenantRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly [field: string]: unknown;
}

/** Tells the tenant of a request or message; `undefined`: the default one. What it throws refuses the request. */
export type TenantResolver = (source: TenantSource) => string | undefined;

/** A resolver did not return what names a tenant. */
export class TenantError extends OrchestratorError {
  readonly code = 'TENANT_INVALID';
}

const LONGEST = 200;

/** @throws TenantError */
export function checkTenant(tenant: unknown): string | undefined {
  if (tenant === undefined) return undefined;
  if (typeof tenant === 'string' && tenant !== '' && tenant.length <= LONGEST) return tenant;
  const found = typeof tenant === 'string' ? `${tenant.length} characters` : typeof tenant;
  throw new TenantError(
    `'tenant' of forRoot must return a string of 1 to ${LONGEST} characters, found ${found}.`,
  );
}

/** The source that an execution context is. */
export function sourceOf(context: ExecutionContext): TenantSource {
  const kind = context.getType<'http' | 'rpc' | 'ws'>();
  if (kind === 'http') return { kind, request: context.switchToHttp().getRequest<TenantRequest>() };
  if (kind === 'ws') {
    const ws = context.switchToWs();
    return { kind, data: ws.getData<unknown>(), context: ws.getClient<unknown>() };
  }
  const rpc = context.switchToRpc();
  return { kind: 'rpc', data: rpc.getData<unknown>(), context: rpc.getContext<unknown>() };
}
