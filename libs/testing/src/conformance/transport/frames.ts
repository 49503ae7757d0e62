import { FrameTooLargeError, PeerLostError } from '@nestjs-orchestrator/core';
import { equal, holds, rejection } from '../checks.js';
import { numbered } from './post.js';
import { acquainted, type Draft } from './scene.js';

const MANY = 2_000;

export const frames: readonly Draft[] = [
  {
    name: 'hands a frame over whole, with its sender',
    async play(scene) {
      const [one, two] = await scene.pair();
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
      await one.seat.send(two.seat.self, bytes);
      const [frame] = await two.post.frames('one', 1);
      equal([...(frame as Uint8Array)], [...bytes], 'the bytes');
    },
  },
  {
    name: 'carries empty frames, and one of the largest size',
    async play(scene) {
      const [one, two] = await scene.pair();
      const large = numbered(7, one.seat.maxFrameBytes);
      await one.seat.send(two.seat.self, new Uint8Array());
      await one.seat.send(two.seat.self, large);
      await one.seat.send(two.seat.self, new Uint8Array());
      const came = await two.post.frames('one', 3);
      equal(
        came.map(({ length }) => length),
        [0, large.length, 0],
        'the lengths of the frames',
      );
      holds(
        (came[1] as Uint8Array).every((byte, at) => byte === large[at]),
        'every byte of the largest frame comes in',
      );
    },
  },
  {
    name: 'refuses a frame above the largest size, and nothing of it comes in',
    async play(scene) {
      const [one, two] = await scene.pair();
      const frame = new Uint8Array(one.seat.maxFrameBytes + 1);
      const tried = await rejection(() => one.seat.trySend(two.seat.self, frame), 'trySend of too much');
      const sent = await rejection(() => one.seat.send(two.seat.self, frame), 'send of too much');
      holds(tried instanceof FrameTooLargeError, `trySend throws FrameTooLargeError, not ${String(tried)}`);
      holds(sent instanceof FrameTooLargeError, `send rejects with FrameTooLargeError, not ${String(sent)}`);
      await one.seat.send(two.seat.self, numbered(1));
      await two.post.frames('one', 1);
      equal(two.post.numbersFrom('one'), [1], 'what came in');
    },
  },
  {
    name: 'takes a copy: the bytes may be used again when trySend returns',
    async play(scene) {
      const [one, two] = await scene.pair();
      const bytes = numbered(1, 64);
      const taken = one.seat.trySend(two.seat.self, bytes);
      holds(taken, 'an idle pair takes a frame at once');
      bytes.fill(0xff);
      const [frame] = await two.post.frames('one', 1);
      equal([...(frame as Uint8Array)], [...numbered(1, 64)], 'the bytes as they were when they were sent');
    },
  },
  {
    name: 'takes a copy also of a view whose slice is none, as that of a Buffer',
    async play(scene) {
      const [one, two] = await scene.pair();
      class Slicing extends Uint8Array {
        override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
          return this.subarray(start, end);
        }
      }
      const bytes = Slicing.from(numbered(1, 64));
      const taken = one.seat.trySend(two.seat.self, bytes);
      holds(taken, 'an idle pair takes a frame at once');
      bytes.fill(0xff);
      const [frame] = await two.post.frames('one', 1);
      equal([...(frame as Uint8Array)], [...numbered(1, 64)], 'the bytes as they were when they were sent');
    },
  },
  {
    name: 'gives the receiver bytes to keep: later frames do not change them',
    async play(scene) {
      const [one, two] = await scene.pair();
      for (let number = 0; number < MANY; number += 1)
        await one.seat.send(two.seat.self, numbered(number, 500));
      const came = await two.post.frames('one', MANY);
      equal(
        came.findIndex((frame, number) => !sameBytes(frame, numbered(number, 500))),
        -1,
        'the first frame whose bytes have changed',
      );
    },
  },
  {
    name: 'keeps the order of each sender, and hands each frame over once',
    async play(scene) {
      const [one, two] = await scene.pair();
      const three = await scene.join('three');
      await acquainted(one, two, three);
      const sizes = [4, 100, 17, 3_000, 5];
      const stream = async (from: typeof one): Promise<void> => {
        for (let number = 0; number < MANY; number += 1) {
          const frame = numbered(number, sizes[number % sizes.length]);
          if (!from.seat.trySend(two.seat.self, frame)) await from.seat.send(two.seat.self, frame);
        }
      };
      await Promise.all([stream(one), stream(three)]);
      await two.post.frames('one', MANY);
      await two.post.frames('three', MANY);
      const all = Array.from({ length: MANY }, (_, number) => number);
      equal(two.post.numbersFrom('one'), all, "what came of 'one'");
      equal(two.post.numbersFrom('three'), all, "what came of 'three'");
    },
  },
  {
    name: 'works in both directions at once',
    async play(scene) {
      const [one, two] = await scene.pair();
      const stream = async (from: typeof one, to: typeof one): Promise<void> => {
        for (let number = 0; number < MANY; number += 1)
          await from.seat.send(to.seat.self, numbered(number, 200));
      };
      await Promise.all([stream(one, two), stream(two, one)]);
      await two.post.frames('one', MANY);
      await one.post.frames('two', MANY);
      equal(two.post.numbersFrom('one'), one.post.numbersFrom('two'), 'what came in on both sides');
    },
  },
  {
    name: 'goes on after a receiver that throws or rejects',
    async play(scene) {
      const [one, two] = await scene.pair();
      two.post.beforeFrame = (_from, frame) => {
        if (frame[3] === 1) throw new Error('a receiver that throws');
        if (frame[3] === 2) return Promise.reject(new Error('a receiver that rejects'));
        return undefined;
      };
      for (const number of [1, 2, 3]) await one.seat.send(two.seat.self, numbered(number));
      await two.post.until(
        () => two.post.numbersFrom('one').includes(3),
        () => 'the frame after those that failed',
      );
      equal(two.post.numbersFrom('one').at(-1), 3, 'the last frame that came in');
    },
  },
  {
    name: 'refuses endpoints that there are not, and other incarnations',
    async play(scene) {
      const [one, two] = await scene.pair();
      const frame = numbered(1);
      for (const to of [
        { name: 'nobody', incarnation: two.seat.self.incarnation },
        { name: 'two', incarnation: 'an-incarnation-that-never-was' },
      ]) {
        const tried = await rejection(() => one.seat.trySend(to, frame), `trySend to '${to.name}'`);
        const sent = await rejection(() => one.seat.send(to, frame), `send to '${to.name}'`);
        holds(tried instanceof PeerLostError, `trySend throws PeerLostError, not ${String(tried)}`);
        holds(sent instanceof PeerLostError, `send rejects with PeerLostError, not ${String(sent)}`);
      }
      await one.seat.send(two.seat.self, numbered(2));
      await two.post.frames('one', 1);
      equal(two.post.numbersFrom('one'), [2], 'what came in');
    },
  },
  {
    name: 'counts what it does',
    async play(scene) {
      const [one, two] = await scene.pair();
      await one.seat.send(two.seat.self, numbered(1, 100));
      await one.seat.send(two.seat.self, numbered(2, 50));
      await two.post.frames('one', 2);
      const [sent, received] = [one.seat.statistics(), two.seat.statistics()];
      equal([sent.framesSent, sent.bytesSent, sent.waiting], [2, 150, 0], 'the statistics of the sender');
      equal([received.framesReceived, received.bytesReceived], [2, 150], 'the statistics of the receiver');
      equal([sent.peers, received.peers, received.corrupt], [1, 1, 0], 'peers, and frames thrown away');
    },
  },
];

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
