/** What the guard reads of a request by itself; Express and Fastify have it. */
export interface HttpRequest {
  /** The client's address, as the HTTP server sees it (`trust proxy` decides behind a proxy). */
  readonly ip?: string | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined };
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Options of `RateLimitGuard`. `R` is the request of the HTTP server, for example Express's `Request`. */
export interface RateLimitGuardOptions<R = HttpRequest> {
  /** Whose limit a request counts for, within its tenant. Default: the client's IPv4 address, or the /64 network of its IPv6 address. */
  readonly key?: (request: R) => string;
  /** The tenant of a request, part of every key. Default: `tenant` of `OrchestratorModule.forRoot()`. */
  readonly tenant?: (request: R) => string;
  /** Tokens that a request takes. Default: 1. */
  readonly cost?: number | ((request: R) => number);
  /** Whether answers carry `RateLimit` and `RateLimit-Policy`, which asks the limiter a second time. Default: `true`. */
  readonly headers?: boolean;
}
