import type { Attributes, Meter } from '@opentelemetry/api';
import type {
  TransportClientStatistics,
  TransportServerStatistics,
} from '../microservices/transport/statistics.js';
import { ObservedInstruments, snake } from './instruments.js';

type Part = TransportServerStatistics | TransportClientStatistics;
type Read = (part: Part) => number | undefined;

const FRAMES = {
  framesSent: 'Frames handed to the transport',
  framesReceived: 'Frames that came in',
  bytesSent: 'Bytes handed to the transport',
  bytesReceived: 'Bytes that came in',
  refused: 'Frames that found no room at first',
  corrupt: 'Frames that were thrown away',
} as const satisfies Partial<Record<keyof Part['frames'], string>>;

const GAUGES: readonly (readonly [name: string, description: string, read: Read])[] = [
  ['placed', 'Those that have their place at the transport', ({ place }) => (place === 'taken' ? 1 : 0)],
  ['up', 'Other endpoints of the service that take frames', ({ up }) => up.length],
  ['suspect', 'Other endpoints of the service that stand still', ({ suspect }) => suspect.length],
  ['waiting', 'Sends that wait for room', ({ frames }) => frames.waiting],
  ['halfBytes', 'Bytes of packets that have come in part', ({ halfBytes }) => halfBytes],
  [
    'inHand',
    'Packets in the hands of handlers',
    (part) => (part.role === 'server' ? part.inHand : undefined),
  ],
  [
    'unanswered',
    'Requests whose last answer has not gone out',
    (part) => (part.role === 'server' ? part.unanswered : undefined),
  ],
  [
    'servers',
    'Servers that clients know',
    (part) => (part.role === 'client' ? part.servers.length : undefined),
  ],
  [
    'requests',
    'Requests without their last answer',
    (part) => (part.role === 'client' ? part.requests : undefined),
  ],
  [
    'events',
    'Events that were not acknowledged',
    (part) => (part.role === 'client' ? part.events : undefined),
  ],
];

/**
 * Reports the figures of servers and clients of Nest microservices, those of the same role, service and transport together: `orchestrator.microservice.*`.
 * Returns the way out.
 */
export function observeMicroservices(meter: Meter, stats: () => readonly Part[]): () => void {
  const instruments = new ObservedInstruments(meter);
  const prefix = 'orchestrator.microservice.';
  const counters = (Object.keys(FRAMES) as (keyof typeof FRAMES)[]).map(
    (name) =>
      [instruments.counter(prefix + snake(name), FRAMES[name]), (part: Part) => part.frames[name]] as const,
  );
  const rejoins = instruments.counter(
    `${prefix}rejoins`,
    'Times that a place was found again after it was lost',
  );
  const gauges = GAUGES.map(
    ([name, description, read]) =>
      [instruments.gauge(`${prefix}${snake(name)}.current`, description), read] as const,
  );
  const all = [...counters, [rejoins, (part: Part) => part.rejoins] as const, ...gauges];
  return instruments.readBy((result) => {
    for (const [attributes, parts] of alike(stats()))
      for (const [instrument, read] of all) {
        const values = parts.map(read).filter((value) => value !== undefined);
        if (values.length > 0)
          result.observe(
            instrument,
            values.reduce((sum, value) => sum + value),
            attributes,
          );
      }
  });
}

/** Those with the same attributes, which would hide each other. */
function alike(parts: readonly Part[]): readonly (readonly [Attributes, readonly Part[]])[] {
  const groups = new Map<string, [Attributes, Part[]]>();
  for (const part of parts) {
    const { role, service, transport } = part;
    const key = JSON.stringify([role, service, transport]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ role, service, transport }, [part]]);
    else group[1].push(part);
  }
  return [...groups.values()];
}
