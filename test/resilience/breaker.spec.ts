import {
  circuitBreaker,
  CircuitOpenError,
  type CircuitBreakerOptions,
  type CircuitEvent,
} from '@nestjs-orchestrator/core/resilience';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { deferred } from './support.js';

const fine = () => Promise.resolve('fine');
const broken = () => Promise.reject(new Error('broken'));

function opened(options: CircuitBreakerOptions = {}) {
  const clock = new VirtualClock();
  const events: CircuitEvent[] = [];
  const onEvent = (event: CircuitEvent): unknown => events.push(event);
  const breaker = circuitBreaker({
    name: 'payments',
    consecutiveFailures: 2,
    breakDuration: 1_000,
    clock,
    onEvent,
    ...options,
  });
  const fail = () => breaker.execute(broken).catch((error: unknown) => error);
  return { clock, breaker, events, fail };
}

describe('a circuit breaker', () => {
  it('opens, refuses, probes and closes', async () => {
    const { clock, breaker, events, fail } = opened();
    await fail();
    await fail();
    const refused = await breaker.execute(fine).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CircuitOpenError);
    expect(refused).toMatchObject({
      breaker: 'payments',
      state: 'open',
      retryAfterMs: 1_000,
      retryable: true,
    });
    await clock.advance(1_000);
    await expect(breaker.execute(fine)).resolves.toBe('fine');
    expect(events.map(({ from, to, cause }) => `${from} > ${to}: ${cause}`)).toEqual([
      'closed > open: consecutive-failures',
      'open > half-open: break-over',
      'half-open > closed: probes-succeeded',
    ]);
    expect(breaker.statistics()).toMatchObject({ succeeded: 1, failed: 2, refused: 1, opened: 1 });
  });

  it('lets through no more probes than it is told, and grows its break when they fail', async () => {
    const { clock, breaker, events, fail } = opened({
      halfOpenProbes: 2,
      breakGrowth: 3,
      breakJitter: 0.5,
      random: { next: () => 1 },
    });
    await fail();
    await fail();
    await clock.advance(1_500);
    const probe = deferred();
    const under = [breaker.execute(() => probe.promise), breaker.execute(() => probe.promise)];
    await expect(breaker.execute(fine)).rejects.toMatchObject({ state: 'half-open' });
    probe.reject(new Error('still broken'));
    await Promise.allSettled(under);
    expect(events.map(({ breakMs }) => breakMs)).toEqual([1_500, undefined, 4_500]);
    expect(breaker.statistics().stale).toBe(1);
  });

  it('does not take the result of an older round for that of a probe', async () => {
    const { clock, breaker, fail } = opened();
    const late = deferred();
    const slow = breaker.execute(() => late.promise);
    await fail();
    await fail();
    await clock.advance(1_000);
    const probe = deferred();
    const probing = breaker.execute(() => probe.promise);
    late.resolve();
    await slow;
    expect(breaker.state.kind).toBe('half-open');
    probe.resolve();
    await probing;
    expect([breaker.state.kind, breaker.statistics().stale]).toEqual(['closed', 1]);
  });

  it('counts a cancelled call neither way, and gives its probe to the next', async () => {
    const { clock, breaker, fail } = opened();
    await fail();
    await fail();
    await clock.advance(1_000);
    const abort = new AbortController();
    const call = breaker.execute(
      (signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
      abort.signal,
    );
    abort.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    await expect(breaker.execute(fine, abort.signal)).rejects.toThrow('gone');
    await breaker.execute(fine);
    expect(breaker.statistics()).toMatchObject({ state: 'closed', cancelled: 1, succeeded: 1, failed: 2 });
  });

  it('can be isolated by hand, and stays so until it is reset', async () => {
    const { clock, breaker } = opened();
    breaker.isolate();
    await clock.advance('24h');
    await expect(breaker.execute(fine)).rejects.toMatchObject({ state: 'isolated', retryAfterMs: undefined });
    breaker.reset();
    await expect(breaker.execute(fine)).resolves.toBe('fine');
  });

  it('counts what throws at once, and lets errors pass that are none', async () => {
    const { breaker } = opened({ isFailure: (error) => !(error instanceof RangeError) });
    const thrower = (error: Error) => () => {
      throw error;
    };
    await expect(breaker.execute(thrower(new TypeError('at once')))).rejects.toThrow('at once');
    await expect(breaker.execute(thrower(new RangeError('not found')))).rejects.toThrow('not found');
    expect(breaker.statistics()).toMatchObject({ failed: 1, succeeded: 1, state: 'closed' });
  });

  it('takes its state to another process', async () => {
    const { clock, breaker, fail } = opened({ breakDuration: 60_000 });
    await fail();
    await fail();
    const snapshot = JSON.parse(JSON.stringify(breaker.export())) as ReturnType<typeof breaker.export>;
    await clock.advance(20_000);
    const { breaker: other } = opened({ clock, breakDuration: 60_000 });
    other.restore(snapshot);
    await expect(other.execute(fine)).rejects.toMatchObject({ retryAfterMs: 40_000 });
    await clock.advance(40_000);
    await expect(other.execute(fine)).resolves.toBe('fine');
    breaker.isolate();
    other.restore(breaker.export());
    expect(other.state.kind).toBe('isolated');
    for (const wrong of [null, {}, { ...snapshot, version: 2 }, { ...snapshot, until: Number.NaN }]) {
      expect(() => other.restore(wrong as never)).toThrow(/'snapshot' must/);
    }
  });

  it('goes on counting by time when no timer comes in between', async () => {
    const clock = {
      at: 0,
      now: () => 0,
      monotonic: () => clock.at,
      storeNow: () => 0,
      schedule: () => ({ cancel() {} }),
    };
    const breaker = circuitBreaker({ window: 100, buckets: 10, clock });
    for (let call = 0; call < 256; call += 1) await breaker.execute(fine);
    clock.at = 200;
    for (let call = 0; call < 64; call += 1) await breaker.execute(fine);
    expect(breaker.statistics().window.calls).toBe(64);
  });
});
