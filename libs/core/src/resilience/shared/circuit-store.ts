import type { CircuitState } from '../breaker/circuit-state.js';

/** State of a shared breaker, as its store keeps it. */
export interface SharedCircuit {
  /** Number of this round: every change of state makes a higher one. 0 where the store knows nothing of the breaker. */
  readonly epoch: number;
  readonly kind: CircuitState['kind'];
  /** Milliseconds that the break, or the round of probes, still lasts; 0 if it is over, or has no end. */
  readonly restMs: number;
  /** Which opening in a row this is, from 1; 0 while it is closed or isolated. */
  readonly openings: number;
}

/** A state to be entered. */
export type SharedCircuitChange =
  | { readonly kind: 'closed' | 'isolated' }
  | { readonly kind: 'open'; readonly breakMs: number; readonly openings: number };

/** How many probes a round lets through, over all nodes, and for how many milliseconds it waits for them. */
export interface ProbeRound {
  readonly probes: number;
  readonly probeTimeout: number;
}

/** Answer to a node that asks for a probe. */
export interface ProbeAnswer {
  /** Whether the call may be made; its result belongs to the round `circuit.epoch`. */
  readonly admitted: boolean;
  readonly circuit: SharedCircuit;
}

/**
 * Keeps the states of shared breakers. Each method is one atomic step. `now` is the instant in milliseconds since the epoch, or `null` for the store's
 * own clock.
 */
export interface SharedCircuitStore {
  read(name: string, now: number | null): Promise<SharedCircuit>;
  /** Enters a state if `epoch` is still the present round; with `null`, in any case. Gives the state that then holds. */
  change(
    name: string,
    epoch: number | null,
    to: SharedCircuitChange,
    now: number | null,
  ): Promise<SharedCircuit>;
  /** Admits a probe, if the break is over and fewer than `probes` are under way. */
  probe(name: string, round: ProbeRound, now: number | null): Promise<ProbeAnswer>;
  /** A probe of round `epoch` succeeded, or was cancelled. After `probes` successes the breaker closes. Older rounds change nothing. */
  settle(
    name: string,
    epoch: number,
    outcome: 'succeeded' | 'cancelled',
    round: ProbeRound,
    now: number | null,
  ): Promise<SharedCircuit>;
  /** Tells of changes, by whichever node, until the returned function is called. Some may be lost; nobody relies on them. */
  watch(name: string, listener: (circuit: SharedCircuit) => void): () => void;
}
