import type { BatchObservableResult } from '@opentelemetry/api';
import type { GatewayStatistics } from '@nestjs-orchestrator/core';
import { snake, type ObservedInstruments } from './instruments.js';

const COUNTERS = {
  framesIn: 'Frames into the own cluster since the gateway joined the other one',
  framesOut: 'Frames out of the own cluster since then',
  bytesIn: 'Bytes into the own cluster since then',
  bytesOut: 'Bytes out of the own cluster since then',
} as const satisfies Partial<Record<keyof GatewayStatistics, string>>;

const GAUGES = {
  routes: 'Pairs of processes that talk over the gateway',
  published: 'Machines of the own cluster that are listed in the other one',
  queuedBytes: 'Bytes that wait for processes without room',
} as const satisfies Partial<Record<keyof GatewayStatistics, string>>;

const STATES = ['joining', 'standby', 'active'] as const satisfies readonly GatewayStatistics['state'][];

/** Instruments of a gateway, and how they are read: 1 for the state that holds, 0 for the others. They report nothing where the process is none. */
export function gatewayInstruments(
  instruments: ObservedInstruments,
): (result: BatchObservableResult, figures: GatewayStatistics) => void {
  const counters = (Object.keys(COUNTERS) as (keyof typeof COUNTERS)[]).map(
    (name) => [name, instruments.counter(`orchestrator.gateway.${snake(name)}`, COUNTERS[name])] as const,
  );
  const gauges = (Object.keys(GAUGES) as (keyof typeof GAUGES)[]).map(
    (name) => [name, instruments.gauge(`orchestrator.gateway.${snake(name)}.current`, GAUGES[name])] as const,
  );
  const state = instruments.gauge('orchestrator.gateway.state', 'Whether the gateway is in the state');
  return (result, { joins, ...figures }) => {
    for (const [name, counter] of counters) result.observe(counter, figures[name], { joins });
    for (const [name, gauge] of gauges) result.observe(gauge, figures[name], { joins });
    for (const each of STATES) result.observe(state, figures.state === each ? 1 : 0, { joins, state: each });
  };
}
