import { Observable, from, mergeMap, of, shareReplay } from 'rxjs';
import type { Policy } from '@nestjs-orchestrator/core/resilience';

/** What is needed of a `ClientProxy` of `@nestjs/microservices`. */
export interface MicroserviceClient {
  send<TResult, TInput = unknown>(pattern: unknown, data: TInput): Observable<TResult>;
  emit<TResult, TInput = unknown>(pattern: unknown, data: TInput): Observable<TResult>;
}

/** The client of another service, with a policy between; see {@link protectClient}. */
export interface ProtectedClient<Added = never> {
  /**
   * Asks each time somebody subscribes, as `ClientProxy.send` does. Values are passed on when the last one has come, so that a retry repeats none of
   * them. Unsubscribing cancels: a cancelled request is no failure of the service.
   */
  send<TResult, TInput = unknown>(pattern: unknown, data: TInput): Observable<TResult | Added>;
  /** Emits at once, as `ClientProxy.emit` does; completes or fails for everybody who subscribes. */
  emit<TInput = unknown>(pattern: unknown, data: TInput): Observable<unknown>;
}

/**
 * Puts a policy before a microservice client.
 *
 * ```ts
 * { provide: 'PAYMENTS', inject: ['PAYMENTS_CLIENT', getCircuitBreakerToken('payments')],
 *   useFactory: (client: ClientProxy, breaker: CircuitBreaker) => protectClient(client, policy(breaker, timeout(2_000))) }
 * ```
 */
export function protectClient<Added = never>(
  client: MicroserviceClient,
  policy: Policy<Added>,
): ProtectedClient<Added> {
  const call = <T>(source: () => Observable<T>, outer?: AbortSignal): Observable<T | Added> =>
    from(policy.execute((signal) => collected(source(), signal), outer)).pipe(
      mergeMap((answer) => (answer instanceof Values ? from(answer.list as readonly T[]) : of(answer))),
    );
  return {
    send: <TResult, TInput>(pattern: unknown, data: TInput) =>
      new Observable<TResult | Added>((subscriber) => {
        const cancel = new AbortController();
        subscriber.add(() => cancel.abort(new Error('Nobody waits for the answer any more.')));
        call(() => client.send<TResult, TInput>(pattern, data), cancel.signal).subscribe(subscriber);
      }),
    emit: <TInput>(pattern: unknown, data: TInput) => {
      const emitted = call(() => client.emit<unknown, TInput>(pattern, data)).pipe(shareReplay());
      // Sent whether or not anybody listens; whoever does is told of a failure.
      emitted.subscribe({ error: () => {} });
      return emitted;
    },
  };
}

/** All values of one attempt; told apart from what a fallback gives. */
class Values {
  constructor(readonly list: readonly unknown[]) {}
}

function collected(source: Observable<unknown>, signal: AbortSignal | undefined): Promise<Values> {
  return new Promise((resolve, reject) => {
    const list: unknown[] = [];
    const subscription = source.subscribe({
      next: (value) => list.push(value),
      error: reject,
      complete: () => resolve(new Values(list)),
    });
    const stop = (): void => {
      subscription.unsubscribe();
      reject(signal?.reason);
    };
    if (signal?.aborted === true) return stop();
    signal?.addEventListener('abort', stop, { once: true });
    subscription.add(() => signal?.removeEventListener('abort', stop));
  });
}
