import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newIncarnation, PROTOCOL } from './cluster-folder.js';
import type { Incoming } from './incoming.js';
import { Peer } from './peer.js';

/** A peer whose connection to us stands, and on whose socket nobody listens any more. */
function leaver() {
  const told: string[] = [];
  let find = (): void => undefined;
  const found = new Promise<void>((resolve) => (find = resolve));
  const incarnation = newIncarnation();
  const descriptor = {
    protocol: PROTOCOL,
    name: 'leaver',
    incarnation,
    pid: 1,
    token: '',
    maxFrameBytes: 1_024,
  };
  const peer = new Peer(
    descriptor,
    {
      path: join(tmpdir(), incarnation),
      hello: new Uint8Array(1),
      sendBufferBytes: 1_024,
      suspectAfterBeats: 3,
      deliver: (_from, frame) => void told.push(`frame ${frame[0]}`),
      isHeld: false,
    },
    { onState: ({ state }) => void told.push(state), onLost: () => find(), onCorrupt: () => undefined },
  );
  const connection = { destroy: () => undefined } as Incoming;
  peer.attach(connection);
  return { peer, connection, told, found };
}

it.each(['says so', 'is heard to break off'])(
  'a peer that is found gone is lost when the connection of its frames %s, once',
  async (end) => {
    const { peer, connection, told, found } = leaver();
    peer.outgoing.connect();
    await found;
    peer.inbox.take(Uint8Array.of(1));
    expect(told).toEqual(['frame 1']);
    const ends = [() => peer.onBye(), () => peer.detach(connection)];
    for (const each of end === 'says so' ? ends : ends.toReversed()) each();
    peer.onBye();
    expect(told).toEqual(['frame 1', 'lost']);
  },
);
