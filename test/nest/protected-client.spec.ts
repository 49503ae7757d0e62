import { VirtualClock } from '@nestjs-orchestrator/testing';
import { Observable, Subject, firstValueFrom, of, throwError, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { CallTimeoutError, CircuitOpenError, policy, protectClient } from '@nestjs-orchestrator/nest';
import { circuitBreaker, fallback, retry, timeout } from '@nestjs-orchestrator/core/resilience';

/** Answers each request with the next of the given streams. */
function clientOf(...answers: Observable<unknown>[]) {
  const sent: [unknown, unknown][] = [];
  const next = <T>(pattern: unknown, data: unknown): Observable<T> => {
    sent.push([pattern, data]);
    return (answers.shift() ?? throwError(() => new Error('away'))) as Observable<T>;
  };
  return { sent, send: next, emit: next };
}

it('passes on all values of an answer, and asks again for each subscriber', async () => {
  const client = clientOf(of(1, 2, 3), of(4));
  const answer = protectClient(client, policy()).send<number>('add', { a: 1 });
  expect(client.sent).toEqual([]);
  expect(await firstValueFrom(answer.pipe(toArray()))).toEqual([1, 2, 3]);
  expect(await firstValueFrom(answer)).toBe(4);
  expect(client.sent).toEqual([
    ['add', { a: 1 }],
    ['add', { a: 1 }],
  ]);
});

it('repeats no value when it tries again', async () => {
  const clock = new VirtualClock();
  const broken = new Observable<number>((subscriber) => {
    subscriber.next(1);
    subscriber.error(new Error('cut off'));
  });
  const client = protectClient(
    clientOf(broken, of(1, 2)),
    retry({ clock, backoff: { kind: 'fixed', delay: 5 } }),
  );
  const values = firstValueFrom(client.send<number>('count', 0).pipe(toArray()));
  await clock.advance(5);
  expect(await values).toEqual([1, 2]);
});

it('asks nothing while the breaker is open', async () => {
  const client = clientOf();
  const guarded = protectClient(client, circuitBreaker({ consecutiveFailures: 1 }));
  await expect(firstValueFrom(guarded.send('charge', 1))).rejects.toThrow('away');
  await expect(firstValueFrom(guarded.send('charge', 1))).rejects.toThrow(CircuitOpenError);
  expect(client.sent).toHaveLength(1);
});

it('lets go of the other service when its time is over', async () => {
  const clock = new VirtualClock();
  const silent = new Subject<number>();
  const guarded = protectClient(clientOf(silent), timeout(1_000, { clock }));
  const answer = firstValueFrom(guarded.send('charge', 1)).catch((error: unknown) => error);
  expect(silent.observed).toBe(true);
  await clock.advance(1_000);
  expect(await answer).toBeInstanceOf(CallTimeoutError);
  expect(silent.observed).toBe(false);
});

it('takes an unsubscription for a cancelled call, not for a failure', async () => {
  const silent = new Subject<number>();
  const breaker = circuitBreaker({ consecutiveFailures: 1 });
  const guarded = protectClient(clientOf(silent, of('answer')), breaker);
  guarded.send('charge', 1).subscribe().unsubscribe();
  expect(silent.observed).toBe(false);
  expect(await firstValueFrom(guarded.send('charge', 1))).toBe('answer');
  expect(breaker.statistics()).toMatchObject({ cancelled: 1, failed: 0 });
});

it('gives what a fallback gives as one value, a list as well', async () => {
  const guarded = protectClient(
    clientOf(),
    fallback(() => ['nothing']),
  );
  expect(await firstValueFrom(guarded.send('list', 1).pipe(toArray()))).toEqual([['nothing']]);
});

it('emits at once and once, and tells those who listen of a failure', async () => {
  const client = clientOf(of(undefined));
  const guarded = protectClient(client, circuitBreaker({ consecutiveFailures: 1 }));
  const first = guarded.emit('charged', 1);
  await firstValueFrom(first);
  await firstValueFrom(first);
  expect(client.sent).toHaveLength(1);
  await expect(firstValueFrom(guarded.emit('charged', 2))).rejects.toThrow('away');
});
