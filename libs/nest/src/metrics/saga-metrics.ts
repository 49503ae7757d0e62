import type { Meter } from '@opentelemetry/api';
import type { HostStatistics } from '@nestjs-orchestrator/core/internal';
import { ObservedInstruments } from './instruments.js';

const OUTCOMES = ['committed', 'conflicts', 'failed', 'held', 'parked', 'discarded', 'throttled'] as const;

/** Reports what the sagas of a node do, its dead letters and what it has in hand. Returns the way out. */
export function observeSagas(meter: Meter, statistics: () => HostStatistics): () => void {
  const instruments = new ObservedInstruments(meter);
  const steps = instruments.counter('saga.steps', 'Steps of sagas by what became of them');
  const deadLetters = instruments.counter('saga.dead_letters', 'Messages given up by this node');
  const inWork = instruments.gauge('relay.in_work', 'Messages being handled');
  const queued = instruments.gauge('relay.queued', 'Messages claimed and waiting for their turn');
  return instruments.readBy((result) => {
    const figures = statistics();
    for (const [saga, counts] of figures.sagas) {
      for (const outcome of OUTCOMES) result.observe(steps, counts[outcome], { saga, outcome });
    }
    result.observe(deadLetters, figures.deadLetters);
    result.observe(inWork, figures.inWork);
    result.observe(queued, figures.queued);
  });
}
