import type { SharedCircuit } from '@nestjs-orchestrator/core/resilience';
import type { RedisClient } from './script.js';

type Listener = (circuit: SharedCircuit) => void;

const MESSAGE = /^(\d+) (closed|open|half-open|isolated) (\d+) (\d+)$/;
const MICROSECONDS = 1_000;

/**
 * Messages about breakers, on a connection of their own that is there while anybody listens. What is lost while it is down is made up for by the
 * checks of the breakers.
 */
export class CircuitMessages {
  private readonly listeners = new Map<string, Set<Listener>>();
  private connection: RedisClient | undefined;

  constructor(private readonly redis: RedisClient) {}

  listen(channel: string, listener: Listener): () => void {
    const known = this.listeners.get(channel);
    const listeners = known ?? new Set();
    listeners.add(listener);
    if (known === undefined) {
      this.listeners.set(channel, listeners);
      this.connection ??= this.connected();
      if (this.connection.status === 'ready') this.connection.subscribe(channel).catch(heal);
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.leave(channel);
    };
  }

  private leave(channel: string): void {
    if (!this.listeners.delete(channel)) return;
    if (this.listeners.size === 0) {
      this.connection?.disconnect();
      this.connection = undefined;
    } else this.connection?.unsubscribe(channel).catch(heal);
  }

  private connected(): RedisClient {
    const connection = duplicateOf(this.redis);
    connection.on('error', heal);
    // Rather than the client's own, whose failure nobody could catch.
    connection.on('ready', () => void connection.subscribe(...this.listeners.keys()).catch(heal));
    connection.on('message', (channel: string, text: string) => {
      const circuit = parsed(text);
      if (circuit === undefined) return;
      for (const listener of this.listeners.get(channel) ?? []) listener(circuit);
    });
    return connection;
  }
}

function duplicateOf(redis: RedisClient): RedisClient {
  const options = { autoResubscribe: false, maxRetriesPerRequest: null };
  return 'nodes' in redis ? redis.duplicate(undefined, { redisOptions: options }) : redis.duplicate(options);
}

/** The connection comes back by itself and subscribes again; the store's own calls tell that Redis is gone. */
function heal(): void {}

function parsed(text: string): SharedCircuit | undefined {
  const [, epoch, kind, rest, openings] = MESSAGE.exec(text) ?? [];
  if (kind === undefined) return undefined;
  return {
    epoch: Number(epoch),
    kind: kind as SharedCircuit['kind'],
    restMs: Number(rest) / MICROSECONDS,
    openings: Number(openings),
  };
}
