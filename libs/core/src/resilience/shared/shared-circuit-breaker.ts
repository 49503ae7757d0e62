import type { Cancellable } from '../../ports/clock.js';
import { CircuitBreaker, drawnBreak } from '../breaker/circuit-breaker.js';
import type {
  CircuitCause,
  CircuitEvent,
  CircuitState,
  CircuitStatistics,
} from '../breaker/circuit-state.js';
import { CircuitOpenError } from '../errors.js';
import { notify } from '../listeners.js';
import type { Call, Policy } from '../policies/policy.js';
import type { ProbeAnswer, ProbeRound, SharedCircuit, SharedCircuitStore } from './circuit-store.js';
import {
  sharedCircuitBreakerSettings,
  type SharedCircuitBreakerOptions,
  type SharedCircuitBreakerSettings,
} from './shared-breaker-options.js';
import { StoreLink, type StoreAvailability } from './store-link.js';

/** Counts of this node since construction, and what its own window holds. */
export interface SharedCircuitStatistics extends CircuitStatistics {
  /** Whether the store answers. */
  readonly available: boolean;
  /** Calls to the store; of these, how many failed. */
  readonly storeCalls: number;
  readonly storeFailures: number;
}

const UNKNOWN: SharedCircuit = { epoch: 0, kind: 'closed', restMs: 0, openings: 0 };

/**
 * Circuit breaker whose state many nodes share. Each node judges by the calls it makes itself, at no cost beyond that of a local breaker; what one of them
 * opens is open for all as soon as the store's message has come, or at the next check. Probes are let through by the store, so that all nodes together
 * make no more than `halfOpenProbes`; rounds are numbered, and results of older ones count for nothing.
 *
 * While the store is gone each node has a breaker of its own. When it is back, what was opened or isolated meanwhile is told to the others.
 */
export class SharedCircuitBreaker implements Policy {
  declare readonly adds?: never;
  private readonly settings: SharedCircuitBreakerSettings;
  private readonly local: CircuitBreaker;
  private readonly link: StoreLink;
  private readonly round: ProbeRound;
  private readonly unwatch: () => void;
  private readonly counts = {
    succeeded: 0,
    failed: 0,
    slow: 0,
    refused: 0,
    cancelled: 0,
    stale: 0,
    opened: 0,
  };
  private circuit = UNKNOWN;
  /** How often a state was taken over; tells answers apart that were overtaken by a message. */
  private adoptions = 0;
  /** Set while all probes are known to be under way. */
  private full = false;
  private asking = 0;
  /** What this node has entered by itself, and the store does not know yet. */
  private untold: 'open' | 'isolated' | undefined;
  /** Set while the store is gone, and until it has been heard again. */
  private detached = false;
  /** The state of which listeners were told last. */
  private shown: CircuitState['kind'] = 'closed';
  private used = false;
  private timer: Cancellable | undefined;

  /** @throws ResilienceOptionError naming the option, its rule and the value */
  constructor(
    private readonly store: SharedCircuitStore,
    options: SharedCircuitBreakerOptions,
  ) {
    this.settings = sharedCircuitBreakerSettings(options);
    const { halfOpenProbes: probes, probeTimeout, name } = this.settings;
    this.round = { probes, probeTimeout };
    this.link = new StoreLink({ ...this.settings, onAvailability: (change) => this.cameOrWent(change) });
    this.local = new CircuitBreaker({ ...options, onEvent: (event) => this.moved(event) });
    this.unwatch = store.watch(name, (circuit) => this.hear(circuit));
  }

  /** Name in errors and events, and under which nodes share it. */
  get name(): string {
    return this.settings.name;
  }

  /** What this node knows of the state. */
  get kind(): CircuitState['kind'] {
    return this.shown;
  }

  /**
   * Calls the function if the breaker lets it through, and counts its result. A call whose signal was aborted counts neither as a success
   * nor as a failure.
   *
   * @throws CircuitOpenError without calling, while it is open or isolated or all probes are under way, on whichever node
   */
  execute<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    this.used = true;
    if (this.timer === undefined) this.check();
    if (this.local.closed || !this.probesAreDue()) return this.local.execute(call, signal);
    return this.tryProbe(call, signal);
  }

  /**
   * Lets nothing through, on any node, until {@link reset}.
   *
   * @throws what the store throws, and `SharedStoreTimeoutError`, while it is gone: this node is isolated then, and tells the others later
   */
  async isolate(): Promise<void> {
    this.local.isolate();
    this.untold = 'isolated';
    await this.tell('isolated');
  }

  /**
   * Closes it on all nodes, and forgets what their windows have counted.
   *
   * @throws what the store throws, and `SharedStoreTimeoutError`, while it is gone: only this node is closed then
   */
  async reset(): Promise<void> {
    this.local.reset();
    await this.tell('closed');
  }

  /**
   * Asks the store for the state now, rather than at the next check.
   *
   * @throws what the store throws, and `SharedStoreTimeoutError`, while it is gone
   */
  async refresh(): Promise<void> {
    const { adoptions } = this;
    await this.learnFrom(await this.link.force(() => this.read()), adoptions, 'shared');
  }

  /** Counts of this node since construction, and what its own window holds. */
  statistics(): SharedCircuitStatistics {
    const own = this.local.statistics();
    const { available, calls: storeCalls, failures: storeFailures } = this.link;
    const sum = { ...this.counts };
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += own[name];
    return { ...own, ...sum, state: this.kind, available, storeCalls, storeFailures };
  }

  /** Stops asking for the state and listening for messages. Calls go on by what is known. */
  close(): void {
    this.timer?.cancel();
    this.timer = { cancel: () => {} };
    this.unwatch();
  }

  private cameOrWent(change: StoreAvailability): void {
    if (!change.available) this.detached = true;
    notify(this.settings.onAvailability, change);
  }

  /** Whether the break is over as far as this node knows, and the store can be asked for a probe. */
  private probesAreDue(): boolean {
    return this.local.probesAreDue && this.link.open;
  }

  private async tryProbe<T>(call: Call<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    if (this.full || this.asking >= this.round.probes) return this.refuse('half-open', undefined);
    const answer = await this.askForProbe();
    if (answer === undefined) return this.local.execute(call, signal);
    const { admitted, circuit } = answer;
    if (admitted) return this.probe(circuit, call, signal);
    this.full = circuit.kind === 'half-open';
    if (circuit.kind === 'closed') return this.local.execute(call, signal);
    const retryAfterMs = circuit.kind === 'open' ? Math.ceil(circuit.restMs) : undefined;
    return this.refuse(circuit.kind, retryAfterMs);
  }

  private async askForProbe(): Promise<ProbeAnswer | undefined> {
    const { name, round } = this;
    let answer: ProbeAnswer | undefined;
    this.asking += 1;
    try {
      await this.ask(async (now) => {
        answer = await this.store.probe(name, round, now);
        return answer.circuit;
      }, 'break-over');
    } catch {
      // The link has told of it: this node goes on by itself.
      return undefined;
    } finally {
      this.asking -= 1;
    }
    return answer;
  }

  private async probe<T>(circuit: SharedCircuit, call: Call<T>, signal: AbortSignal | undefined): Promise<T> {
    const { clock, slowCallDuration = Infinity, isFailure } = this.settings;
    const startedAt = clock.monotonic();
    const settle = (failed: boolean): Promise<void> => {
      const slow = clock.monotonic() - startedAt > slowCallDuration;
      this.count(failed, slow);
      return this.settleProbe(circuit, failed || slow ? 'failed' : 'succeeded');
    };
    let value: T;
    try {
      value = await call(signal);
    } catch (error) {
      if (signal?.aborted === true) {
        this.counts.cancelled += 1;
        await this.settleProbe(circuit, 'cancelled');
      } else await settle(isFailure(error));
      throw error;
    }
    await settle(false);
    return value;
  }

  private async settleProbe(
    { epoch, openings }: SharedCircuit,
    outcome: 'succeeded' | 'cancelled' | 'failed',
  ): Promise<void> {
    if (epoch !== this.circuit.epoch) this.counts.stale += 1;
    const { name, store, round } = this;
    const breakMs =
      outcome === 'failed' && epoch === this.circuit.epoch ? drawnBreak(this.settings, openings + 1) : 0;
    const cause = outcome === 'failed' ? 'probe-failed' : 'probes-succeeded';
    try {
      await this.ask((now) => {
        if (outcome !== 'failed') return store.settle(name, epoch, outcome, round, now);
        return store.change(name, epoch, { kind: 'open', breakMs, openings: openings + 1 }, now);
      }, cause);
    } catch {
      // The link has told of it. The round ends by its probe timeout.
    }
  }

  private count(failed: boolean, slow: boolean): void {
    if (failed) this.counts.failed += 1;
    else this.counts.succeeded += 1;
    if (slow) this.counts.slow += 1;
  }

  private refuse(state: CircuitOpenError['state'], retryAfterMs: number | undefined): never {
    this.counts.refused += 1;
    throw new CircuitOpenError(this.name, state, retryAfterMs);
  }

  /** The local breaker has moved by itself: it judged its calls, a person asked for it, or it is alone. */
  private moved(event: CircuitEvent): void {
    this.shown = event.to;
    notify(this.settings.onEvent, event);
    if (event.to === 'closed') this.untold = undefined;
    if (event.to !== 'open') return;
    this.untold = 'open';
    void this.tellUntold();
  }

  /** Whatever round the store is in: a person said so. */
  private async tell(kind: 'closed' | 'isolated'): Promise<void> {
    const { name, store, settings } = this;
    const circuit = await this.link.force(() =>
      store.change(name, null, { kind }, settings.clock.storeNow()),
    );
    this.detached = false;
    this.adopt(circuit, kind === 'closed' ? 'reset' : 'isolated');
  }

  private async tellUntold(): Promise<void> {
    const { name, store, circuit, untold } = this;
    if (untold === undefined || !this.link.open) return;
    const { restMs: breakMs, openings } = this.local.rest();
    const to =
      untold === 'open' ? ({ kind: 'open', breakMs, openings } as const) : ({ kind: untold } as const);
    try {
      await this.ask((now) => store.change(name, circuit.epoch, to, now));
    } catch {
      // The link has told of it. It is told again when the store is back.
    }
  }

  private read(): Promise<SharedCircuit> {
    return this.store.read(this.name, this.settings.clock.storeNow());
  }

  /** @param cause of a change that this very question makes */
  private async ask(
    question: (now: number | null) => Promise<SharedCircuit>,
    cause: CircuitCause = 'shared',
  ): Promise<void> {
    const { adoptions } = this;
    const circuit = await this.link.call(() => question(this.settings.clock.storeNow()));
    await this.learnFrom(circuit, adoptions, cause);
  }

  /** @param adoptions their number when the question was asked: an older state that was overtaken by a message is no news */
  private async learnFrom(circuit: SharedCircuit, adoptions: number, cause: CircuitCause): Promise<void> {
    if (this.detached) await this.rejoin(circuit);
    else if (this.adoptions === adoptions || circuit.epoch >= this.circuit.epoch) this.learn(circuit, cause);
  }

  /** A state of which it is not known whether it is news. */
  private learn(circuit: SharedCircuit, cause: CircuitCause): void {
    this.full = false;
    if (circuit.epoch !== this.circuit.epoch) this.adopt(circuit, cause);
  }

  private hear(circuit: SharedCircuit): void {
    if (!this.detached && circuit.epoch >= this.circuit.epoch) this.learn(circuit, 'shared');
  }

  /** The store is back: what this node has opened meanwhile is opened for all, unless the others are as careful already. */
  private async rejoin(circuit: SharedCircuit): Promise<void> {
    this.detached = false;
    const { untold } = this;
    const tells = untold === 'open' ? circuit.kind === 'closed' : untold !== undefined;
    if (!tells) return this.adopt(circuit, 'shared');
    this.circuit = circuit;
    this.adoptions += 1;
    await this.tellUntold();
  }

  private adopt(circuit: SharedCircuit, cause: CircuitCause): void {
    const { kind, restMs, openings } = circuit;
    const before = { kind: this.shown, epoch: this.circuit.epoch };
    this.circuit = circuit;
    this.adoptions += 1;
    this.full = false;
    this.untold = undefined;
    this.shown = kind;
    this.local.adopt(kind === 'half-open' ? 'open' : kind, kind === 'open' ? restMs : 0, openings);
    if (cause === 'probe-failed' && kind === 'open') this.counts.opened += 1;
    if (before.kind !== kind) this.announce(before.kind, circuit, cause);
    else if (kind === 'half-open' && before.epoch !== circuit.epoch) {
      this.announce(before.kind, circuit, 'probes-timed-out');
    }
  }

  private announce(
    from: CircuitState['kind'],
    { kind: to, restMs }: SharedCircuit,
    cause: CircuitCause,
  ): void {
    const event = { breaker: this.name, from, to, cause };
    notify(this.settings.onEvent, to === 'open' ? { ...event, breakMs: restMs } : event);
  }

  /** Asks for the state now, and again as long as calls are made. */
  private check(): void {
    this.timer = this.settings.clock.schedule(this.settings.checkInterval, () => {
      const goesOn = this.used || this.untold !== undefined;
      this.used = false;
      this.timer = undefined;
      if (goesOn) this.check();
    });
    if (this.link.open) this.ask(() => this.read()).catch(ignored);
  }
}

/** The link has told of it already. */
function ignored(): void {}
