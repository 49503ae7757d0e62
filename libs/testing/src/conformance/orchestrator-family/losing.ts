import { OutcomeUnknownError, PeerLostError } from '@nestjs-orchestrator/core';
import { equal, holds, rejection } from '../checks.js';
import { handled } from '../gates.js';
import { entriesIn, upTo } from './notebook.js';
import type { Draft } from './scene.js';

const STREAM = 400;

/** Processes that die without a word. */
export const losing: readonly Draft[] = [
  {
    name: 'ends what a process has accepted and not done in OutcomeUnknownError when it dies, and finds the machine again',
    needs: 'kill',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      const unknown = handled(
        rejection(() => ref.request({ type: 'HOLD' }), 'a request to a process that dies'),
      );
      await two.held();
      await ref.send({ type: 'NOTE', entry: 'accepted' });
      const undelivered = scene.next(one, 'undelivered');
      await scene.kill(two);
      const error = await scene.arrives(unknown, 'the end of the request');
      holds(error instanceof OutcomeUnknownError, `an OutcomeUnknownError, not ${String(error)}`);
      const { error: reported } = await undelivered;
      holds(reported instanceof OutcomeUnknownError, `an OutcomeUnknownError, not ${String(reported)}`);
      const again = await scene.join('three');
      await scene.acquainted(one, again);
      await again.spawn('book');
      await ref.send({ type: 'NOTE', entry: 'again' });
      equal(await entriesIn(ref), ['again'], 'what the new machine was sent');
    },
  },
  {
    name: 'frees the name and the machines of a process that dies, and gives nothing of the old one to the next of that name',
    inOneCluster: true,
    needs: 'kill',
    async play(scene) {
      const [one, two] = await scene.pair();
      await one.spawn('own');
      await two.spawn('book');
      await one.notes('book', ['to the old one']);
      const lost = scene.next(one, 'peer', ({ state }) => state === 'lost');
      await scene.kill(two);
      equal((await lost).endpoint, 'two', 'the process that is lost');
      equal(await one.machines(), ['own one notebook'], 'the machines that are left');
      equal(await one.group.locate('book'), undefined, 'where the machine is now');
      const again = await scene.join('two');
      await scene.acquainted(one, again);
      await again.spawn('book');
      await one.notes('book', ['to the new one']);
      equal(await one.entries('book'), ['to the new one'], 'what the new machine was sent');
      await again.notes('own', ['from the new one']);
      equal(await one.entries('own'), ['from the new one'], 'what this process was sent');
    },
  },
  {
    name: 'settles every send to a process that dies: accepted, refused or unknown, and nothing hangs',
    needs: 'kill',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      await ref.send({ type: 'NOTE', entry: 'first' });
      const held = handled(ref.request({ type: 'HOLD' }));
      await two.held();
      const sends = upTo(STREAM).map((entry) => ref.send({ type: 'NOTE', entry }));
      const settled = Promise.allSettled(sends);
      await scene.kill(two);
      const ends = await scene.arrives(settled, 'the end of every send');
      for (const end of ends) {
        if (end.status === 'fulfilled') continue;
        const { reason } = end as { readonly reason: unknown };
        holds(
          reason instanceof PeerLostError || reason instanceof OutcomeUnknownError,
          `a PeerLostError or OutcomeUnknownError, not ${String(reason)}`,
        );
      }
      await scene.arrives(
        rejection(() => held, 'the request to the process that died'),
        'its end',
      );
    },
  },
];
