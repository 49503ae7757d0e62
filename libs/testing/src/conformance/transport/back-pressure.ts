import { equal, holds, rejection } from '../checks.js';
import { handled } from '../gates.js';
import { numbered } from './post.js';
import { acquainted, type Draft, type Member } from './scene.js';

/** More than any bounded lane takes. */
const MOST = 30_000;
const FRAME_BYTES = 1_000;
/** Turns of the event loop without room, after which no more is on its way from one buffer to the next. */
const TURNS = 20;

/**
 * Sends until there is no room and none comes; how many frames were taken. The receiver must hold its sender. There is no room in the very moment in which it
 * returns, since its last word is a refusal.
 */
export async function fill(from: Member, to: Member): Promise<number> {
  let taken = 0;
  for (let turns = 0; turns < TURNS && taken < MOST; turns += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (taken < MOST && from.seat.trySend(to.seat.self, numbered(taken, FRAME_BYTES))) {
      taken += 1;
      turns = 0;
    }
  }
  return taken;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

export const backPressure: readonly Draft[] = [
  {
    name: 'says no when there is no room; nothing of what it took is lost, nothing else comes in',
    async play(scene) {
      const [one, two] = await scene.pair();
      const letGo = two.post.hold('one');
      const taken = await fill(one, two);
      holds(taken > 0, 'something is taken at first');
      holds(taken < MOST, `a receiver that holds its sender makes trySend say no; ${MOST} frames were taken`);
      holds(one.seat.statistics().refused > 0, 'what was refused is counted');
      letGo();
      await two.post.frames('one', taken);
      equal(two.post.numbersFrom('one'), upTo(taken), 'what came in');
    },
  },
  {
    name: 'lets senders wait for room, first come, first served, and says no to trySend meanwhile',
    async play(scene) {
      const [one, two] = await scene.pair();
      const letGo = two.post.hold('one');
      const taken = await fill(one, two);
      const settled: number[] = [];
      const waiting = [0, 1, 2].map(async (later) => {
        await one.seat.send(two.seat.self, numbered(taken + later, FRAME_BYTES));
        settled.push(later);
      });
      const allIn = handled(Promise.all(waiting));
      await Promise.resolve();
      equal(one.seat.statistics().waiting, 3, 'senders that wait');
      equal(one.seat.trySend(two.seat.self, new Uint8Array()), false, 'trySend while others wait');
      letGo();
      await scene.arrives(allIn, 'room for those that wait');
      await two.post.frames('one', taken + 3);
      equal(settled, [0, 1, 2], 'the order in which senders were let in');
      equal(two.post.numbersFrom('one'), upTo(taken + 3), 'what came in');
      equal(one.seat.statistics().waiting, 0, 'senders that wait at the end');
    },
  },
  {
    name: 'holds back the sender whose frame is being handled, and nobody else',
    async play(scene) {
      const [one, two] = await scene.pair();
      const three = await scene.join('three');
      await acquainted(one, two, three);
      const letGo = two.post.hold('one');
      await one.seat.send(two.seat.self, numbered(1));
      await one.seat.send(two.seat.self, numbered(2));
      await two.post.frames('one', 1);
      for (let number = 0; number < 100; number += 1) await three.seat.send(two.seat.self, numbered(number));
      await two.post.frames('three', 100);
      equal(two.post.numbersFrom('one'), [1], "what came of 'one' while its first frame was being handled");
      letGo();
      await two.post.frames('one', 2);
      equal(two.post.numbersFrom('one'), [1, 2], "what came of 'one'");
    },
  },
  {
    name: 'withdraws a frame that waits when its signal aborts',
    async play(scene) {
      const [one, two] = await scene.pair();
      const letGo = two.post.hold('one');
      const taken = await fill(one, two);
      const abort = new AbortController();
      const first = handled(one.seat.send(two.seat.self, numbered(1_000_001, FRAME_BYTES), abort.signal));
      const second = handled(one.seat.send(two.seat.self, numbered(1_000_002, FRAME_BYTES)));
      const reason = new Error('given up');
      abort.abort(reason);
      const error = await scene.arrives(
        rejection(() => first, 'a send whose signal aborts'),
        'the end of a send whose signal aborts',
      );
      equal(error === reason, true, 'the rejection is the reason');
      letGo();
      await scene.arrives(second, 'room for the one behind');
      await two.post.frames('one', taken + 1);
      equal(two.post.numbersFrom('one'), [...upTo(taken), 1_000_002], 'what came in');
    },
  },
  {
    name: 'sends nothing where the signal has aborted before',
    async play(scene) {
      const [one, two] = await scene.pair();
      const reason = new Error('too late');
      const late = await rejection(
        () => one.seat.send(two.seat.self, numbered(1), AbortSignal.abort(reason)),
        'a send whose signal has aborted',
      );
      equal(late === reason, true, 'the rejection is the reason');
      await one.seat.send(two.seat.self, numbered(2));
      await two.post.frames('one', 1);
      equal(two.post.numbersFrom('one'), [2], 'what came in');
    },
  },
];
