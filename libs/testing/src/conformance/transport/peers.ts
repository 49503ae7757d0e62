import { EndpointTakenError, PeerLostError, TransportClosedError } from '@nestjs-orchestrator/core';
import type { Endpoint, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { equal, holds, rejection } from '../checks.js';
import { handled } from '../gates.js';
import { fill } from './back-pressure.js';
import { numbered } from './post.js';
import { acquainted, type Draft, type Scene } from './scene.js';

function peerNames(seat: TransportSeat): string[] {
  return seat.peers().map(({ endpoint }) => endpoint.name);
}

/** `gone` ends the endpoint 'one', which has sent to 'two' and holds a name. */
async function playEnd(scene: Scene, gone: (seat: TransportSeat) => Promise<void>): Promise<void> {
  const [one, two] = await scene.pair();
  await one.seat.claim('a-name', '');
  for (let number = 0; number < 50; number += 1) await one.seat.send(two.seat.self, numbered(number, 300));
  await gone(one.seat);
  await two.post.peer(one.seat.self, 'lost');
  const last = two.post.news.at(-1);
  equal(last?.kind === 'peer' && last.state, 'lost', 'the last word of an endpoint that is gone');
  equal(
    two.post.statesOf(one.seat.self).filter((state) => state === 'lost'),
    ['lost'],
    'how often it was said to be lost',
  );
  equal(two.post.framesFrom('one').length, 50, 'frames that came before it');
  equal(peerNames(two.seat), [], 'the peers that are left');
  equal(await two.seat.locate('a-name'), undefined, 'who holds the name of the one that is gone');
  await assertGone(two.seat, one.seat.self);
}

async function assertGone(from: TransportSeat, to: Endpoint): Promise<void> {
  const tried = await rejection(() => from.trySend(to, numbered(1)), 'trySend to one that is gone');
  const sent = await rejection(() => from.send(to, numbered(1)), 'send to one that is gone');
  holds(tried instanceof PeerLostError, `trySend throws PeerLostError, not ${String(tried)}`);
  holds(sent instanceof PeerLostError, `send rejects with PeerLostError, not ${String(sent)}`);
}

/** Sends beyond the room that was found full: a transport with a server in the middle still takes some of them from the sender. */
const BEYOND = 100;
const LET_IN = 'let in';

/** Those that wait for room in the lane to one that ends are told: all that were not let in before, which are the last ones. */
async function playWaiting(scene: Scene, gone: (seat: TransportSeat) => Promise<void>): Promise<void> {
  const [one, two] = await scene.pair();
  const letGo = two.post.hold('one');
  const taken = await fill(one, two);
  const ends = Array.from({ length: taken + BEYOND }, (_, number) =>
    one.seat.send(two.seat.self, numbered(taken + number, 1_000)).then(
      () => LET_IN,
      (error: unknown) => (error instanceof PeerLostError ? 'PeerLostError' : String(error)),
    ),
  );
  await gone(two.seat);
  const seen = await scene.arrives(Promise.all(ends), 'the end of the sends that wait');
  const refused = seen.filter((end) => end !== LET_IN);
  equal([...new Set(refused)], ['PeerLostError'], 'what sends that wait reject with');
  equal(seen.slice(-refused.length), refused, 'the sends that were not let in: the last ones');
  letGo();
}

/** The same name, again and again: each time another incarnation, and frames for it alone. */
async function playRestarts(scene: Scene, gone: (seat: TransportSeat) => Promise<void>): Promise<void> {
  const one = await scene.join('one');
  const incarnations = new Set<string>();
  let before: Endpoint | undefined;
  for (let round = 0; round < 5; round += 1) {
    const two = await scene.join('two');
    incarnations.add(two.seat.self.incarnation);
    await acquainted(one, two);
    if (before !== undefined) await assertGone(one.seat, before);
    await one.seat.send(two.seat.self, numbered(round));
    await two.post.frames('one', 1);
    equal(two.post.numbersFrom('one'), [round], 'what came in');
    await gone(two.seat);
    await one.post.peer(two.seat.self, 'lost');
    before = two.seat.self;
  }
  equal(incarnations.size, 5, 'incarnations of five runs');
}

const leave = (seat: TransportSeat): Promise<void> => seat.leave();

export const peers: readonly Draft[] = [
  {
    name: 'tells of endpoints that come, and lists them',
    async play(scene) {
      const one = await scene.join('one');
      equal(one.seat.self.name, 'one', 'the own name');
      equal(peerNames(one.seat), [], 'peers of one that is alone');
      const two = await scene.join('two');
      await one.post.peer(two.seat.self, 'up');
      await acquainted(one, two);
      equal(peerNames(one.seat), ['two'], 'peers of the first');
      equal(peerNames(two.seat), ['one'], 'peers of the second');
    },
  },
  {
    name: 'tells of an endpoint that leaves after the last of its frames, and frees its names',
    play: (scene) => playEnd(scene, leave),
  },
  {
    name: 'rejects the sends that wait for an endpoint that leaves',
    play: (scene) => playWaiting(scene, leave),
  },
  {
    name: 'takes an endpoint that has left again, as another incarnation',
    play: (scene) => playRestarts(scene, leave),
  },
  {
    name: 'refuses everything after it has left, and leaves once',
    async play(scene) {
      const [one, two] = await scene.pair();
      const letGo = two.post.hold('one');
      const taken = await fill(one, two);
      // A transport that was slow to take the first ones has room for some of these.
      const sends = Array.from({ length: taken + BEYOND }, () =>
        one.seat.send(two.seat.self, numbered(1, 1_000)).then(
          () => LET_IN,
          (error: unknown) => error,
        ),
      );
      const gone = Promise.all([one.seat.leave(), one.seat.leave()]);
      const ends = await scene.arrives(Promise.all(sends), 'the end of the sends that wait');
      const refused = ends.filter((end) => end !== LET_IN);
      holds(refused.length > 0, 'an error for whoever waits');
      const errors = [
        ...refused,
        await rejection(() => one.seat.trySend(two.seat.self, numbered(1)), 'trySend'),
        await rejection(() => one.seat.send(two.seat.self, numbered(1)), 'send'),
        await rejection(() => one.seat.claim('a-name', ''), 'claim'),
      ];
      letGo();
      await scene.arrives(gone, 'the end of both');
      for (const error of errors)
        holds(error instanceof TransportClosedError, `TransportClosedError, not ${String(error)}`);
      equal(peerNames(one.seat), [], 'its peers');
    },
  },
  {
    name: 'refuses an endpoint whose name a live one holds, and leaves nothing behind',
    async play(scene) {
      const [one, two] = await scene.pair();
      const error = await rejection(() => scene.join('two'), 'joining under a name that is held');
      holds(error instanceof EndpointTakenError, `EndpointTakenError, not ${String(error)}`);
      equal(peerNames(one.seat), ['two'], 'peers after a refusal');
      await one.seat.send(two.seat.self, numbered(1));
      await two.post.frames('one', 1);
      equal(two.post.numbersFrom('one'), [1], 'what came in at the one that holds the name');
    },
  },
  {
    name: 'keeps clusters apart',
    async play(scene) {
      const one = await scene.join('one');
      const other = await scene.join('one', scene.opened.clusters[1]);
      await one.seat.claim('a-name', '');
      await other.seat.claim('a-name', '');
      equal([peerNames(one.seat), peerNames(other.seat)], [[], []], 'peers in the two clusters');
      const error = await rejection(() => one.seat.send(other.seat.self, numbered(1)), 'sending across');
      holds(error instanceof PeerLostError, `PeerLostError, not ${String(error)}`);
    },
  },
  {
    name: 'tells of an endpoint that dies after the last of its frames, and frees its names',
    needs: 'kill',
    play: (scene) => playEnd(scene, (seat) => killing(scene, seat)),
  },
  {
    name: 'rejects the sends that wait for an endpoint that dies',
    needs: 'kill',
    play: (scene) => playWaiting(scene, (seat) => killing(scene, seat)),
  },
  {
    name: 'takes an endpoint that has died again, as another incarnation',
    needs: 'kill',
    play: (scene) => playRestarts(scene, (seat) => killing(scene, seat)),
  },
  {
    name: 'suspects an endpoint that stands still, lets its senders wait, and gives nothing up',
    needs: 'stall',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.seat.claim('a-name', 'kept');
      await scene.opened.stall?.(two.seat);
      await one.post.peer(two.seat.self, 'suspect');
      equal(
        one.seat.peers().map(({ state }) => state),
        ['suspect'],
        'the state of the one that stands still',
      );
      const taken = await fill(one, two);
      const waiting = handled(one.seat.send(two.seat.self, numbered(taken, 1_000)));
      equal((await one.seat.locate('a-name'))?.endpoint.name, 'two', 'who holds its name');
      await scene.opened.resume?.(two.seat);
      await one.post.peer(two.seat.self, 'up');
      await scene.arrives(waiting, 'room for the one that waits');
      const came = await two.post.frames('one', taken + 1);
      equal(came.length, taken + 1, 'frames that came in');
    },
  },
];

async function killing(scene: Scene, seat: TransportSeat): Promise<void> {
  await scene.opened.kill?.(seat);
}
