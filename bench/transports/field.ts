import { FACES, ONLY } from './choice.js';
import type { WireName } from './wire.js';

const OURS: readonly WireName[] = ['port', 'orchestrator', 'nest'].flatMap((face) =>
  ['shared-memory', 'named-pipe', 'redis-streams'].map((carrier) => ({ face, carrier }) as WireName),
);
const LASTING: WireName = { face: 'partitions', carrier: 'redis-streams' };
const PEERS: readonly WireName[] = [
  { face: 'nest', carrier: 'tcp' },
  { face: 'nest', carrier: 'redis' },
  { face: 'nest', carrier: 'nats' },
  { face: 'nest', carrier: 'rabbitmq' },
  { face: 'ipc', carrier: 'child_process' },
  { face: 'message-port', carrier: 'worker thread' },
];

/** Whom ratios are taken against: what Nest does without a broker. It comes first. */
export const RIVAL = 'Nest tcp';

/** Who takes part. */
export const field = (): readonly WireName[] => [...PEERS, ...OURS, LASTING].filter(wanted);

function wanted({ face, carrier }: WireName): boolean {
  const named = ONLY.length === 0 || ONLY.includes(carrier) || ONLY.includes(`${face}/${carrier}`);
  return named && (FACES.length === 0 || FACES.includes(face));
}

export const nameOf = (wire: WireName): string => {
  const { face, carrier } = wire;
  if (face === 'nest') return PEERS.includes(wire) ? `Nest ${carrier}` : `${carrier}, Nest strategy`;
  if (face === 'partitions') return `${carrier}, frames for durable machines`;
  if (face === 'orchestrator') return `${carrier}, createOrchestrator`;
  return face === 'port' ? `${carrier}, frames` : `${face} to a ${carrier}`;
};

/** What the sender of an event hears of it. All events are counted where they are handled. */
export const acknowledged = (wire: WireName): string => {
  const { face, carrier } = wire;
  if (face === 'partitions') return 'acknowledged by the server, in its file within a second';
  if (face === 'nest' && !PEERS.includes(wire))
    return carrier === 'redis-streams' ? 'acknowledged by the server' : 'acknowledged by the handler';
  if (carrier === 'redis-streams' || carrier === 'rabbitmq') return 'acknowledged by the server';
  return 'not acknowledged';
};
