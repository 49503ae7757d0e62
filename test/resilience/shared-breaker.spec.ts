import {
  CircuitOpenError,
  memoryCircuitStore,
  SharedCircuitBreaker,
  type CircuitEvent,
  type SharedCircuitBreakerOptions,
  type SharedCircuitStore,
  type StoreAvailability,
} from '@nestjs-orchestrator/core/resilience';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { deferred } from './support.js';

/** The way of one node to the shared store, which the test cuts, and whose messages it loses. */
class Wire implements SharedCircuitStore {
  cut = false;
  losesMessages = false;
  calls = 0;

  constructor(private readonly store: SharedCircuitStore) {}

  read: SharedCircuitStore['read'] = (...question) => this.reached(() => this.store.read(...question));
  change: SharedCircuitStore['change'] = (...question) => this.reached(() => this.store.change(...question));
  probe: SharedCircuitStore['probe'] = (...question) => this.reached(() => this.store.probe(...question));
  settle: SharedCircuitStore['settle'] = (...question) => this.reached(() => this.store.settle(...question));

  watch: SharedCircuitStore['watch'] = (name, listener) =>
    this.store.watch(name, (circuit) => {
      if (!this.losesMessages && !this.cut) listener(circuit);
    });

  private reached<T>(ask: () => Promise<T>): Promise<T> {
    this.calls += 1;
    return this.cut ? Promise.reject(new Error('connection lost')) : ask();
  }
}

interface Node {
  readonly breaker: SharedCircuitBreaker;
  readonly wire: Wire;
  readonly events: CircuitEvent[];
}

function stage(options: Partial<SharedCircuitBreakerOptions> = {}) {
  const clock = new VirtualClock();
  const store = memoryCircuitStore(clock);
  const node = (): Node => {
    const wire = new Wire(store);
    const events: CircuitEvent[] = [];
    const breaker = new SharedCircuitBreaker(wire, {
      name: 'payments',
      consecutiveFailures: 3,
      breakDuration: 1_000,
      onEvent: (event) => events.push(event),
      clock,
      ...options,
    });
    return { breaker, wire, events };
  };
  return { clock, nodes: [node(), node(), node()] as const, node };
}

const works = async (): Promise<string> => 'ok';
const fails = (): Promise<never> => Promise.reject(new Error('down'));

async function failing({ breaker }: Node, calls = 3): Promise<void> {
  for (let at = 0; at < calls; at += 1) await breaker.execute(fails).catch(() => undefined);
}

/** What a call comes to, as one word. */
function tried({ breaker }: Node): Promise<string> {
  return breaker.execute(works).catch((error: unknown) => {
    if (error instanceof CircuitOpenError) return error.state;
    throw error;
  });
}

describe('a shared breaker', () => {
  it('that one node opens is open on all', async () => {
    const { nodes, clock } = stage();
    await failing(nodes[0]);
    await clock.settled();
    expect(await Promise.all(nodes.map(tried))).toEqual(['open', 'open', 'open']);
    expect(nodes[0].events).toMatchObject([{ from: 'closed', to: 'open', cause: 'consecutive-failures' }]);
    expect(nodes[1].events).toEqual([
      { breaker: 'payments', from: 'closed', to: 'open', cause: 'shared', breakMs: 1_000 },
    ]);
    expect(nodes[1].breaker.statistics()).toMatchObject({ state: 'open', refused: 1, opened: 0 });
  });

  it('is open on all within 100 ms if every message is lost, since nodes that make calls look', async () => {
    const { nodes, clock } = stage();
    for (const { wire } of nodes) wire.losesMessages = true;
    for (const node of nodes) await tried(node);
    await failing(nodes[0]);
    for (const node of nodes) await tried(node);
    await clock.advance(100);
    expect(await Promise.all(nodes.map(tried))).toEqual(['open', 'open', 'open']);
  });

  it('asks nothing while nobody calls', async () => {
    const { nodes, clock } = stage();
    await tried(nodes[0]);
    await clock.advance(60_000);
    expect(nodes[0].wire.calls).toBeLessThanOrEqual(3);
    expect(clock.scheduled).toBe(0);
  });

  it('lets no more probes through than it may, over all nodes', async () => {
    const { nodes, clock } = stage({ halfOpenProbes: 2 });
    await failing(nodes[0]);
    await clock.advance(1_000);
    let under = 0;
    const gate = deferred();
    const probe = (): Promise<void> => {
      under += 1;
      return gate.promise;
    };
    const calls = [...nodes, ...nodes, ...nodes].map(({ breaker }) => breaker.execute(probe));
    const ended = Promise.allSettled(calls);
    await clock.settled();
    expect(under).toBe(2);
    gate.resolve();
    const refused = (await ended).filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(7);
    await clock.settled();
    expect(await Promise.all(nodes.map(tried))).toEqual(['ok', 'ok', 'ok']);
    for (const { events } of nodes)
      expect(events.map(({ to }) => to)).toEqual(['open', 'half-open', 'closed']);
  });

  it('a probe that fails opens it for all, for longer; a probe that is cancelled leaves its place to another node', async () => {
    const { nodes, clock } = stage({ breakGrowth: 2 });
    const [one, two] = nodes;
    await failing(one);
    await clock.advance(1_000);
    const abort = new AbortController();
    const cancelled = one.breaker.execute(
      () =>
        new Promise<void>((_, reject) => {
          abort.signal.addEventListener('abort', () => reject(new Error('enough')));
        }),
      abort.signal,
    );
    await clock.settled();
    expect(await tried(two)).toBe('half-open');
    abort.abort();
    await expect(cancelled).rejects.toThrow('enough');
    await clock.settled();
    await expect(two.breaker.execute(fails)).rejects.toThrow('down');
    await clock.settled();
    await expect(one.breaker.execute(works)).rejects.toMatchObject({ state: 'open', retryAfterMs: 2_000 });
  });

  it('counts no result of an older round', async () => {
    const { nodes, clock } = stage();
    const [one, two] = nodes;
    const late = [0, 1, 2].map(() => {
      const result = deferred();
      const call = two.breaker.execute(() => result.promise);
      call.catch(() => undefined);
      return result;
    });
    await failing(one);
    await clock.advance(1_000);
    expect(await tried(one)).toBe('ok');
    await clock.settled();
    for (const result of late) result.reject(new Error('down'));
    await clock.settled();
    expect(await Promise.all(nodes.map(tried))).toEqual(['ok', 'ok', 'ok']);
    expect(two.breaker.statistics().stale).toBe(3);
  });

  it('gives up probes that never settle', async () => {
    const { nodes, clock } = stage({ probeTimeout: 500 });
    const [one, two] = nodes;
    await failing(one);
    await clock.advance(1_000);
    one.breaker.execute(() => new Promise(() => {})).catch(() => undefined);
    await clock.settled();
    expect(await tried(two)).toBe('half-open');
    await clock.advance(500);
    expect(await tried(two)).toBe('ok');
    await clock.settled();
    expect(await tried(one)).toBe('ok');
  });

  it('is isolated and reset for all', async () => {
    const { nodes, clock } = stage();
    await nodes[0].breaker.isolate();
    await clock.settled();
    expect(await Promise.all(nodes.map(tried))).toEqual(['isolated', 'isolated', 'isolated']);
    await nodes[2].breaker.reset();
    await clock.settled();
    expect(await Promise.all(nodes.map(tried))).toEqual(['ok', 'ok', 'ok']);
  });

  it('a node that begins while it is open knows with its first answer', async () => {
    const { nodes, node, clock } = stage();
    await failing(nodes[0]);
    const late = node();
    await late.breaker.refresh();
    expect(await tried(late)).toBe('open');
    late.breaker.close();
    await clock.advance(5_000);
    expect(clock.scheduled).toBe(0);
  });
});

describe('while the store of a breaker is gone', () => {
  it('a node breaks and probes by itself, and shares again when the store is back', async () => {
    const told: StoreAvailability['available'][] = [];
    const { nodes, clock } = stage({ onAvailability: ({ available }) => told.push(available) });
    const [alone, other] = nodes;
    alone.wire.cut = true;
    await failing(alone);
    await clock.settled();
    expect([await tried(alone), await tried(other)]).toEqual(['open', 'ok']);
    await clock.advance(999);
    expect(await tried(alone)).toBe('open');
    await clock.advance(1);
    await expect(alone.breaker.execute(fails)).rejects.toThrow('down');
    expect(await tried(alone)).toBe('open');
    alone.wire.cut = false;
    await clock.advance(1_000);
    expect([await tried(alone), await tried(other)]).toEqual(['ok', 'ok']);
    expect(told).toEqual([false, true]);
  });

  it('what it opened or isolated meanwhile is told to the others', async () => {
    const { nodes, clock } = stage({ breakDuration: 60_000 });
    const [alone, other] = nodes;
    alone.wire.cut = true;
    await failing(alone);
    await clock.settled();
    alone.wire.cut = false;
    await clock.advance(1_100);
    expect(await tried(other)).toBe('open');
    await alone.breaker.reset();
    await clock.settled();
    expect(await tried(other)).toBe('ok');
    alone.wire.cut = true;
    await expect(alone.breaker.isolate()).rejects.toThrow('connection lost');
    expect([await tried(alone), await tried(other)]).toEqual(['isolated', 'ok']);
    alone.wire.cut = false;
    await clock.advance(1_100);
    expect([await tried(alone), await tried(other)]).toEqual(['isolated', 'isolated']);
  });

  it('what the others opened meanwhile is open for it, too', async () => {
    const { nodes, clock } = stage({ breakDuration: 60_000 });
    const [alone, other] = nodes;
    alone.wire.cut = true;
    await tried(alone);
    await failing(other);
    await clock.settled();
    expect(await tried(alone)).toBe('ok');
    alone.wire.cut = false;
    await clock.advance(1_000);
    await tried(alone);
    await clock.advance(100);
    expect(await tried(alone)).toBe('open');
  });
});

describe('options of a shared breaker', () => {
  it.each([
    ['name', { name: '' }],
    ['checkInterval', { checkInterval: 0 }],
    ['storeTimeout', { storeTimeout: Number.NaN }],
    ['retryInterval', { retryInterval: -1 }],
    ['halfOpenProbes', { halfOpenProbes: 0 }],
  ])('%s is refused in %o', (option, wrong) => {
    const options = { name: 'n', ...wrong };
    expect(() => new SharedCircuitBreaker(memoryCircuitStore(), options)).toThrow(
      expect.objectContaining({ option }),
    );
  });
});
