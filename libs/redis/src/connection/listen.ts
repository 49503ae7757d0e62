import type { Cluster, Redis } from 'ioredis';
import { connect } from './own-client.js';

/** What somebody who listens hears. */
export interface Heard {
  /** A text that was published on the channel. */
  message(text: string): void;
  /** It listens again after its connection was lost: what was published meanwhile is lost. */
  again(): void;
}

/**
 * Listens to a channel with a client of its own. It subscribes again by itself instead of letting the client do it: that one throws away the promise of
 * its command, so that a connection that is lost just then would end the process with an unhandled rejection.
 */
export async function listen(client: Redis | Cluster, channel: string, heard: Heard): Promise<void> {
  await connect(client);
  await client.subscribe(channel);
  client.on('message', (_channel: string, text: string) => heard.message(text));
  client.on('ready', () => {
    client.subscribe(channel).then(
      () => heard.again(),
      // Where the connection went, the next one tries; where it did not, it is made anew.
      () => {
        if (!client.isCluster && client.status === 'ready') (client as Redis).disconnect(true);
      },
    );
  });
}
