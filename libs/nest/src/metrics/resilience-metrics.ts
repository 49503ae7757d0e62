import type { Attributes, Meter } from '@opentelemetry/api';
import { ObservedInstruments } from './instruments.js';

/** Anything that gives its figures by name: limiters and breakers of this framework, local or shared, do. */
export interface WithStatistics {
  statistics(): object;
}

/** Named things, as they are when somebody asks for the figures. */
export type NamedStatistics = () => Iterable<readonly [name: string, thing: unknown]>;

const LIMITER_OUTCOMES = [
  'allowed',
  'refused',
  'waited',
  'cancelled',
  'unmonitored',
  'leased',
  'withoutStore',
];
const LIMITER_GAUGES = ['waiting', 'keys', 'leases'];
const BREAKER_OUTCOMES = ['succeeded', 'failed', 'slow', 'refused', 'cancelled', 'stale'];
const STATES = ['closed', 'open', 'half-open', 'isolated'];

/** Reports what limiters have let through and refused. Returns the way out. */
export function observeLimiters(meter: Meter, limiters: NamedStatistics): () => void {
  const instruments = new ObservedInstruments(meter);
  const calls = instruments.counter('limiter.calls', 'Calls by what became of them');
  const store = instruments.counter('limiter.store.calls', 'Calls to the shared store');
  const gauges = LIMITER_GAUGES.map(
    (name) => [name, instruments.gauge(`limiter.${name}`, `What is so now: ${name}`)] as const,
  );
  return instruments.readBy((result) => {
    for (const [limiter, figures] of figuresOf(limiters)) {
      for (const outcome of LIMITER_OUTCOMES) {
        observe((value, attributes) => result.observe(calls, value, attributes), figures[outcome], {
          limiter,
          outcome,
        });
      }
      observe((value, attributes) => result.observe(store, value, attributes), figures['storeCalls'], {
        limiter,
      });
      for (const [name, gauge] of gauges) {
        observe((value, attributes) => result.observe(gauge, value, attributes), figures[name], { limiter });
      }
    }
  });
}

/** Reports results and states of breakers: 1 for the state that holds, 0 for the others. Returns the way out. */
export function observeBreakers(meter: Meter, breakers: NamedStatistics): () => void {
  const instruments = new ObservedInstruments(meter);
  const calls = instruments.counter('breaker.calls', 'Calls by what became of them');
  const opened = instruments.counter('breaker.opened', 'Openings by the judgement of this node');
  const state = instruments.gauge('breaker.state', 'Whether the breaker is in the state');
  return instruments.readBy((result) => {
    for (const [breaker, figures] of figuresOf(breakers)) {
      for (const outcome of BREAKER_OUTCOMES) {
        observe((value, attributes) => result.observe(calls, value, attributes), figures[outcome], {
          breaker,
          outcome,
        });
      }
      observe((value, attributes) => result.observe(opened, value, attributes), figures['opened'], {
        breaker,
      });
      for (const each of STATES) {
        result.observe(state, figures['state'] === each ? 1 : 0, { breaker, state: each });
      }
    }
  });
}

function* figuresOf(things: NamedStatistics): Generator<[name: string, figures: Record<string, unknown>]> {
  for (const [name, thing] of things()) {
    if (hasStatistics(thing)) yield [name, { ...thing.statistics() }];
  }
}

function hasStatistics(thing: unknown): thing is WithStatistics {
  return (
    typeof thing === 'object' &&
    thing !== null &&
    'statistics' in thing &&
    typeof thing.statistics === 'function'
  );
}

/** What a kind of limiter does not count is not reported. */
function observe(
  tell: (value: number, attributes: Attributes) => void,
  value: unknown,
  attributes: Attributes,
): void {
  if (typeof value === 'number') tell(value, attributes);
}
