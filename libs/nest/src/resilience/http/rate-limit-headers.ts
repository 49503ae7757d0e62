import type { RateLimitView } from '@nestjs-orchestrator/core/resilience';

/** What the headers are made of. */
export interface RateLimitHeaderInput {
  /** Name of the limiter; the headers' name of the policy. */
  readonly name: string;
  readonly view: RateLimitView;
  /** Tokens that come in per second, where that is known. */
  readonly perSecond: number | undefined;
}

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10: the quota `q` is the burst, the window `w` the seconds in which an empty bucket
 * fills; `r` are the whole tokens that remain, `t` the seconds until the bucket is full, or, where its rate is not known, until a token is there.
 */
export function rateLimitHeaders({ name, view, perSecond }: RateLimitHeaderInput): {
  readonly policy: string;
  readonly limit: string;
} {
  const label = structuredString(name);
  const { tokens, capacity, retryAfterMs } = view;
  const window = perSecond === undefined ? '' : `;w=${Math.max(1, Math.ceil(capacity / perSecond))}`;
  const reset = perSecond === undefined ? seconds(retryAfterMs) : Math.ceil((capacity - tokens) / perSecond);
  return {
    policy: `${label};q=${Math.floor(capacity)}${window}`,
    limit: `${label};r=${Math.max(0, Math.floor(tokens))};t=${reset}`,
  };
}

/** Whole seconds of `Retry-After`: at least as long as the wait. */
export function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000);
}

/** A string of RFC 9651, which is printable ASCII. */
function structuredString(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}
