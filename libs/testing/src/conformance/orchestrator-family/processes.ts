import { DuplicateIdError, EndpointTakenError, OutcomeUnknownError } from '@nestjs-orchestrator/core';
import { equal, holds, rejection } from '../checks.js';
import { handled } from '../gates.js';
import { type Draft, entriesIn, notebook, upTo } from './scene.js';

/** What there is only where there are several processes. */
export const processes: readonly Draft[] = [
  {
    name: 'lists processes and machines, and tells of those that come and go',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      const one = await scene.join('one');
      const came = scene.next(one.group, 'peer');
      const two = await scene.join('two');
      equal([(await came).endpoint, (await came).state], ['two', 'up'], 'the one that came');
      await scene.acquainted(one, two);
      equal(
        one.group.processes().map(({ endpoint, self }) => [endpoint, self]),
        [
          ['one', true],
          ['two', false],
        ],
        'the processes',
      );
      await one.group.spawn(notebook, { id: 'a' });
      await two.group.spawn(notebook, { id: 'b' });
      const machines = await two.group.machineNames();
      equal(
        machines.map(({ id, endpoint, definition }) => `${id} ${endpoint} ${definition}`).sort(),
        ['a one notebook', 'b two notebook'],
        'the machines',
      );
      const gone = scene.next(one.group, 'peer');
      await two.group.release();
      equal([(await gone).endpoint, (await gone).state], ['two', 'lost'], 'the one that left');
      equal(
        (await one.group.machineNames()).map(({ id }) => id),
        ['a'],
        'the machines that are left',
      );
    },
  },
  {
    name: 'holds ids unique over all processes, and leaves nothing behind where one is refused',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.group.spawn(notebook, { id: 'book' });
      const error = await rejection(() => one.group.spawn(notebook, { id: 'book' }), 'an id that is held');
      holds(error instanceof DuplicateIdError, `a DuplicateIdError, not ${String(error)}`);
      equal(one.group.machines().length, 0, 'machines of the one that was refused');
      await two.group.ref('book').stop();
      await one.group.spawn(notebook, { id: 'book' });
      await two.group.ref('book').send({ type: 'NOTE', entry: 1 });
      equal(await entriesIn(two.group.ref('book')), [1], 'what the machine was sent at its new place');
    },
  },
  {
    name: 'refuses a process whose name a live one holds',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      await scene.pair();
      const error = await rejection(() => scene.join('two'), 'a name that is held');
      holds(error instanceof EndpointTakenError, `an EndpointTakenError, not ${String(error)}`);
    },
  },
  {
    name: 'short-cuts what is in the same process: no frame leaves it',
    needs: 'processes',
    async play(scene) {
      const [one] = await scene.pair();
      await one.group.spawn(notebook, { id: 'book' });
      const clerk = await one.group.spawn(notebook, { id: 'clerk' });
      const before = one.group.stats().cluster?.frames.framesSent;
      const ref = one.group.ref('book');
      await ref.send({ type: 'NOTE', entry: 1 });
      await clerk.request({ type: 'PASS_ON', to: 'book', entries: [2] });
      await clerk.request({ type: 'ASK', to: 'book' });
      equal(await entriesIn(ref), [1, 2], 'what the machine was sent');
      equal(one.group.stats().cluster?.frames.framesSent, before, 'frames that were sent');
    },
  },
  {
    name: 'finds a machine again where another process has started it anew',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.group.spawn(notebook, { id: 'book' });
      const ref = one.group.ref('book');
      await ref.send({ type: 'NOTE', entry: 1 });
      const lost = scene.next(one.group, 'peer');
      await two.group.release();
      await lost;
      const again = await scene.join('two');
      await scene.acquainted(one, again);
      await again.group.spawn(notebook, { id: 'book' });
      for (const entry of upTo(10)) await ref.send({ type: 'NOTE', entry });
      equal(await entriesIn(ref), upTo(10), 'what the new machine was sent');
    },
  },
  {
    name: 'ends what a process has accepted and not done in OutcomeUnknownError when it dies, and finds the machine again',
    needs: 'kill',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.group.spawn(notebook, { id: 'book' });
      const ref = scene.far(one, 'book');
      const unknown = handled(
        rejection(() => ref.request({ type: 'HOLD' }), 'a request to a process that dies'),
      );
      await scene.arrives(two.holding.passed, 'the action that holds the machine');
      await ref.send({ type: 'NOTE', entry: 'accepted' });
      const undelivered = scene.next(one.group, 'undelivered');
      await scene.opened.kill?.(two.group);
      const error = await scene.arrives(unknown, 'the end of the request');
      holds(error instanceof OutcomeUnknownError, `an OutcomeUnknownError, not ${String(error)}`);
      const { error: reported } = await undelivered;
      holds(reported instanceof OutcomeUnknownError, `an OutcomeUnknownError, not ${String(reported)}`);
      two.release.open();
      const again = await scene.join('three');
      await scene.acquainted(one, again);
      await again.group.spawn(notebook, { id: 'book' });
      await ref.send({ type: 'NOTE', entry: 'again' });
      equal(await entriesIn(ref), ['again'], 'what the new machine was sent');
    },
  },
];
