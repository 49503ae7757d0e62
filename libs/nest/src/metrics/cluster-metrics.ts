import type { Attributes, BatchObservableResult } from '@opentelemetry/api';
import type { ClusterStatistics } from '@nestjs-orchestrator/core';
import { gatewayInstruments } from './gateway-metrics.js';
import { snake, type ObservedInstruments } from './instruments.js';

type Frames = ClusterStatistics['frames'];

const COUNTERS = {
  framesSent: 'Frames handed to the transport',
  framesReceived: 'Frames that came in',
  bytesSent: 'Bytes handed to the transport',
  bytesReceived: 'Bytes that came in',
  refused: 'Frames that found no room at first',
  corrupt: 'Frames that were thrown away',
} as const satisfies Record<Exclude<keyof Frames, 'waiting' | 'peers'>, string>;

const GAUGES = {
  unaccepted: 'Envelopes sent that other processes have not accepted yet',
  unfinished: 'Envelopes sent whose steps are not over yet',
  waiting: 'Sends to other processes that wait for room',
} as const satisfies Partial<Record<keyof ClusterStatistics, string>>;

/** Instruments of the transport, and how they are read. They report nothing where the group belongs to no cluster. */
export function clusterInstruments(
  instruments: ObservedInstruments,
): (result: BatchObservableResult, figures: ClusterStatistics) => void {
  const counters = (Object.keys(COUNTERS) as (keyof typeof COUNTERS)[]).map(
    (name) => [name, instruments.counter(`orchestrator.transport.${snake(name)}`, COUNTERS[name])] as const,
  );
  const gauges = (Object.keys(GAUGES) as (keyof typeof GAUGES)[]).map(
    (name) =>
      [name, instruments.gauge(`orchestrator.transport.${snake(name)}.current`, GAUGES[name])] as const,
  );
  const frames = instruments.gauge(
    'orchestrator.transport.frames_waiting.current',
    'Frames that wait for room in the transport',
  );
  const peers = instruments.gauge('orchestrator.transport.peers.current', 'Other processes of the cluster');
  const rejoins = instruments.counter(
    'orchestrator.transport.rejoins',
    'Times that this process has joined again after others had declared it dead',
  );
  const readGateway = gatewayInstruments(instruments);
  return (result, { type, frames: sums, gateway, ...figures }) => {
    const transport: Attributes = { transport: type };
    for (const [name, counter] of counters) result.observe(counter, sums[name], transport);
    for (const [name, gauge] of gauges) result.observe(gauge, figures[name], transport);
    result.observe(frames, sums.waiting, transport);
    result.observe(peers, sums.peers, transport);
    result.observe(rejoins, figures.rejoins, transport);
    if (gateway !== undefined) readGateway(result, gateway);
  };
}
