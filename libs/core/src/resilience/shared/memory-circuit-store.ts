import type { Clock } from '../../ports/clock.js';
import { systemClock } from '../../ports/system-clock.js';
import type {
  ProbeAnswer,
  ProbeRound,
  SharedCircuit,
  SharedCircuitChange,
  SharedCircuitStore,
} from './circuit-store.js';

interface Stored {
  epoch: number;
  kind: SharedCircuit['kind'];
  until: number;
  openings: number;
  admitted: number;
  succeeded: number;
}

type Listener = (circuit: SharedCircuit) => void;

/** Shared breakers in this process: for tests and simulation, where several breakers stand for several nodes. */
export class MemoryCircuitStore implements SharedCircuitStore {
  private readonly circuits = new Map<string, Stored>();
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(private readonly clock: Clock = systemClock) {}

  read(name: string, now: number | null): Promise<SharedCircuit> {
    return Promise.resolve(this.view(name, this.instant(now)));
  }

  change(
    name: string,
    epoch: number | null,
    to: SharedCircuitChange,
    now: number | null,
  ): Promise<SharedCircuit> {
    const instant = this.instant(now);
    const known = this.circuits.get(name)?.epoch ?? 0;
    if (epoch === null || epoch === known) this.enter(name, instant, to);
    return Promise.resolve(this.view(name, instant));
  }

  probe(name: string, round: ProbeRound, now: number | null): Promise<ProbeAnswer> {
    const instant = this.instant(now);
    const stored = this.roundOf(name, round, instant);
    const admitted = stored?.kind === 'half-open' && stored.admitted < round.probes;
    if (admitted) stored.admitted += 1;
    return Promise.resolve({ admitted, circuit: this.view(name, instant) });
  }

  settle(
    name: string,
    epoch: number,
    outcome: 'succeeded' | 'cancelled',
    { probes }: ProbeRound,
    now: number | null,
  ): Promise<SharedCircuit> {
    const instant = this.instant(now);
    const stored = this.circuits.get(name);
    if (stored?.kind === 'half-open' && stored.epoch === epoch) {
      if (outcome === 'cancelled') stored.admitted -= 1;
      else stored.succeeded += 1;
      if (stored.succeeded >= probes) this.enter(name, instant, { kind: 'closed' });
      else this.tell(name, instant);
    }
    return Promise.resolve(this.view(name, instant));
  }

  watch(name: string, listener: Listener): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** The state in which a probe is asked for: a new round where the break, or the round before, is over. */
  private roundOf(name: string, { probes, probeTimeout }: ProbeRound, now: number): Stored | undefined {
    const stored = this.circuits.get(name);
    if (stored === undefined || now < stored.until) return stored;
    const spent = stored.kind === 'half-open' && stored.admitted >= probes;
    if (stored.kind !== 'open' && !spent) return stored;
    return this.put(name, now, { kind: 'half-open', until: now + probeTimeout, openings: stored.openings });
  }

  private instant(now: number | null): number {
    return now ?? this.clock.now();
  }

  private enter(name: string, now: number, to: SharedCircuitChange): void {
    const [until, openings] = to.kind === 'open' ? [now + to.breakMs, to.openings] : [0, 0];
    this.put(name, now, { kind: to.kind, until, openings });
  }

  private put(name: string, now: number, to: Pick<Stored, 'kind' | 'until' | 'openings'>): Stored {
    const epoch = Math.max((this.circuits.get(name)?.epoch ?? 0) + 1, Math.floor(now));
    const stored = { ...to, epoch, admitted: 0, succeeded: 0 };
    this.circuits.set(name, stored);
    this.tell(name, now);
    return stored;
  }

  private tell(name: string, now: number): void {
    const circuit = this.view(name, now);
    for (const listener of this.listeners.get(name) ?? []) queueMicrotask(() => listener(circuit));
  }

  private view(name: string, now: number): SharedCircuit {
    const stored = this.circuits.get(name);
    if (stored === undefined) return { epoch: 0, kind: 'closed', restMs: 0, openings: 0 };
    const { epoch, kind, until, openings } = stored;
    return { epoch, kind, restMs: Math.max(0, until - now), openings };
  }
}

/** Makes a {@link MemoryCircuitStore}. */
export function memoryCircuitStore(clock?: Clock): MemoryCircuitStore {
  return new MemoryCircuitStore(clock);
}
