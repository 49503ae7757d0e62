/** The protected function. It is given the signal that ends it early, where there is one. */
export type Call<T> = (signal: AbortSignal | undefined) => PromiseLike<T>;

/**
 * Something that calls a function and adds a guarantee. `Added` is what it may resolve to besides the function's own result; only a
 * fallback adds anything.
 */
export interface Policy<Added = never> {
  /** Never set: tells the compiler what is added. */
  readonly adds?: Added;
  /** @param signal ends the call early; an aborted call rejects with the signal's reason */
  execute<T>(call: Call<T>, signal?: AbortSignal): Promise<T | Added>;
}

/** What a policy may resolve to besides the function's own result. */
export type AddedBy<P> = P extends { readonly adds?: infer Added } ? Added : never;

/**
 * One policy of many, the first outermost: `policy(fallback, retry, breaker, timeout)` runs the time-out anew in every attempt that the
 * breaker lets through, and falls back when all of them have failed. Types are preserved: the result is the function's own, or what a
 * fallback among them adds.
 */
export function policy<const P extends readonly Policy<unknown>[]>(
  ...policies: P
): Policy<AddedBy<P[number]>> {
  const outward = policies.toReversed();
  return {
    execute<T>(call: Call<T>, signal?: AbortSignal): Promise<T | AddedBy<P[number]>> {
      let wrapped: Call<unknown> = call;
      for (const each of outward) {
        const inner = wrapped;
        wrapped = (given) => each.execute(inner, given);
      }
      return start(wrapped as Call<T | AddedBy<P[number]>>, signal);
    },
  };
}

/** Calls the function; what it throws at once becomes a rejection. An aborted signal ends it before it began. */
export async function start<T>(call: Call<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  return call(signal);
}
