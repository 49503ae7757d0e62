import type { Meter } from '@opentelemetry/api';
import type {
  CounterName,
  DurableStatistics,
  GroupStatistics,
  LatencyStatistics,
  Orchestrator,
} from '@nestjs-orchestrator/core';
import { clusterInstruments } from './cluster-metrics.js';
import { ObservedInstruments, snake } from './instruments.js';

const COUNTERS: Readonly<Record<CounterName, string>> = {
  processed: 'Steps adopted',
  failed: 'Steps, starts, sends and activities that failed',
  timedOut: 'Requests, waits and actions whose time was over',
  throttled: 'Outside sends that had to wait or were refused',
  repeated: 'Events that came again and were not handled again',
  forgotten: 'Ids of messages that were forgotten before their time',
  registered: 'Machines that began',
  disposed: 'Machines that ended',
};

const GAUGES = {
  machines: 'Machines at work',
  queued: 'Events in mailboxes',
  running: 'Steps whose action is under way',
  pendingRequests: 'Requests without an answer yet',
  timers: 'Timers set',
  activities: 'Activities under way',
  waitingSenders: 'Senders that wait to be let in',
} as const satisfies Partial<Record<keyof GroupStatistics, string>>;

const DURABLE: Readonly<Record<Exclude<keyof DurableStatistics, 'deadLetters'>, string>> = {
  atWork: 'Durable machines at work in this process',
  partitions: 'Partitions of durable machines that this process owns',
};

const QUANTILES = { p50: '0.5', p95: '0.95', p99: '0.99', max: '1' } as const satisfies Partial<
  Record<keyof LatencyStatistics, string>
>;

/** Boundaries of the histogram, in milliseconds: from 10 µs, since most steps take less than one. */
const BOUNDARIES = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

/** Reports the counts, gauges and latencies of a group. Returns the way out. */
export function observeOrchestrator(meter: Meter, orchestrator: Orchestrator): () => void {
  const instruments = new ObservedInstruments(meter);
  const counters = (Object.keys(COUNTERS) as CounterName[]).map(
    (name) => [name, instruments.counter(`orchestrator.${snake(name)}`, COUNTERS[name])] as const,
  );
  const gauges = (Object.keys(GAUGES) as (keyof typeof GAUGES)[]).map(
    (name) => [name, instruments.gauge(`orchestrator.${snake(name)}.current`, GAUGES[name])] as const,
  );
  const durable = (Object.keys(DURABLE) as (keyof typeof DURABLE)[]).map(
    (name) =>
      [name, instruments.gauge(`orchestrator.durable.${snake(name)}.current`, DURABLE[name])] as const,
  );
  const deadLetters = instruments.counter(
    'orchestrator.durable.dead_letters',
    'Dead letters of durable machines that this process has made',
  );
  const quantile = instruments.gauge(
    'orchestrator.latency.quantile',
    'Milliseconds from acceptance to the end of the step, by quantile',
    'ms',
  );
  const latency = meter.createHistogram('orchestrator.latency', {
    description:
      'Milliseconds from acceptance to the end of the step, of requests and one in sixteen other events',
    unit: 'ms',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  const stopListening = orchestrator.observe({
    latency: (milliseconds, definition) => latency.record(milliseconds, { definition }),
  });
  const readCluster = clusterInstruments(instruments);
  const stopReading = instruments.readBy((result) => {
    const figures = orchestrator.stats();
    if (figures.cluster !== undefined) readCluster(result, figures.cluster);
    for (const [name, counter] of counters) result.observe(counter, figures[name]);
    for (const [name, gauge] of gauges) result.observe(gauge, figures[name]);
    if (figures.durable !== undefined) {
      for (const [name, gauge] of durable) result.observe(gauge, figures.durable[name]);
      result.observe(deadLetters, figures.durable.deadLetters);
    }
    if (figures.latency.count === 0) return;
    for (const [name, label] of Object.entries(QUANTILES)) {
      result.observe(quantile, figures.latency[name as keyof typeof QUANTILES], { quantile: label });
    }
  });
  return () => {
    stopListening();
    stopReading();
  };
}
