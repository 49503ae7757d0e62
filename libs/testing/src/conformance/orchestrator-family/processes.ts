import { DuplicateIdError, EndpointTakenError, NameInvalidError } from '@nestjs-orchestrator/core';
import { equal, holds, rejection } from '../checks.js';
import { entriesIn, notebook, upTo } from './notebook.js';
import type { Draft } from './scene.js';

/** What there is only where there are several processes. */
export const processes: readonly Draft[] = [
  {
    name: 'lists processes and machines, and tells of those that come and go',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      const one = await scene.joinHere('one');
      const came = scene.next(one, 'peer');
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
      await one.spawn('a');
      await two.spawn('b');
      const both = ['a one notebook', 'b two notebook'];
      equal(await two.machines(), both, 'the machines as the other process lists them');
      equal(await one.machines(), both, 'the machines as this process lists them');
      // On a busy machine it may be suspect before.
      const gone = scene.next(one, 'peer', ({ state }) => state === 'lost');
      await scene.leave(two);
      equal((await gone).endpoint, 'two', 'the one that left');
      equal(await one.machines(), ['a one notebook'], 'the machines that are left');
    },
  },
  {
    name: 'holds ids unique over all processes, and leaves nothing behind where one is refused',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const error = await rejection(() => one.group.spawn(notebook, { id: 'book' }), 'an id that is held');
      holds(error instanceof DuplicateIdError, `a DuplicateIdError, not ${String(error)}`);
      equal(one.group.machines().length, 0, 'machines of the one that was refused');
      equal(await one.machines(), ['book two notebook'], 'the machines');
      await two.stop('book');
      equal(await one.machines(), [], 'the machines after the only one was stopped');
      await one.spawn('book');
      await two.notes('book', [1]);
      equal(await two.entries('book'), [1], 'what the machine was sent at its new place');
    },
  },
  {
    name: 'carries ids of up to 255 bytes, and refuses longer ones with nothing left behind',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      const [one, two] = await scene.pair();
      const longest = `${'é'.repeat(127)}x`;
      await two.spawn(longest);
      await two.notes(longest, [1]);
      await one.notes(longest, [2]);
      equal(await two.entries(longest), [1, 2], 'what the machine was sent from both sides');
      for (const id of [`${longest}x`, 'x'.repeat(256)]) {
        const error = await rejection(
          () => one.group.spawn(notebook, { id }),
          `an id of ${id.length} characters`,
        );
        holds(error instanceof NameInvalidError, `a NameInvalidError, not ${String(error)}`);
      }
      equal(one.group.machines().length, 0, 'machines of the one that was refused');
    },
  },
  {
    name: 'refuses a process whose name a live one holds, and leaves nothing behind',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      const [one, two] = await scene.pair();
      const error = await rejection(() => scene.joinHere('two'), 'a name that is held');
      holds(error instanceof EndpointTakenError, `an EndpointTakenError, not ${String(error)}`);
      equal(one.group.processes().length, 2, 'processes');
      await two.spawn('book');
      await one.notes('book', [1]);
      equal(await two.entries('book'), [1], 'what the holder of the name was sent');
    },
  },
  {
    name: 'short-cuts what is in the same process: no frame leaves it',
    needs: 'processes',
    async play(scene) {
      const [one] = await scene.pair();
      await one.spawn('book');
      const clerk = await one.group.spawn(notebook, { id: 'clerk' });
      const before = one.group.stats().cluster?.frames;
      const ref = one.group.ref('book');
      await ref.send({ type: 'NOTE', entry: 1 });
      await clerk.request({ type: 'PASS_ON', to: 'book', entries: [2] });
      await clerk.request({ type: 'ASK', to: 'book' });
      equal(await entriesIn(ref), [1, 2], 'what the machine was sent');
      const after = one.group.stats().cluster?.frames;
      equal(after?.framesSent, before?.framesSent, 'frames that were sent');
      equal(after?.bytesSent, before?.bytesSent, 'bytes that were sent');
    },
  },
  {
    name: 'counts the frames of what is in another process, on both sides',
    needs: 'processes',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const before = one.group.stats().cluster?.frames;
      equal(await entriesIn(scene.far(one, 'book')), [], 'what the machine was sent');
      const after = one.group.stats().cluster?.frames;
      for (const count of ['framesSent', 'bytesSent', 'framesReceived', 'bytesReceived'] as const)
        holds((after?.[count] ?? 0) > (before?.[count] ?? 0), `'${count}' grows with a request`);
      equal(after?.corrupt, 0, 'frames that could not be read');
    },
  },
  {
    name: 'finds a machine again where another process has started it anew',
    inOneCluster: true,
    needs: 'processes',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = one.group.ref('book');
      await ref.send({ type: 'NOTE', entry: 1 });
      const lost = scene.next(one, 'peer', ({ state }) => state === 'lost');
      await scene.leave(two);
      await lost;
      const again = await scene.join('two');
      await scene.acquainted(one, again);
      await again.spawn('book');
      for (const entry of upTo(10)) await ref.send({ type: 'NOTE', entry });
      equal(await entriesIn(ref), upTo(10), 'what the new machine was sent');
    },
  },
  {
    name: 'fails a request at once whose process leaves, by a typed error',
    needs: 'processes',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      const failed = scene.arrives(
        rejection(() => ref.request({ type: 'HOLD' }), 'a request to a process that leaves'),
        'the end of the request',
      );
      await two.held();
      await scene.leave(two);
      const { code } = (await failed) as { readonly code?: string };
      holds(ENDS_OF_LEAVING.includes(String(code)), `one of ${ENDS_OF_LEAVING.join(', ')}, not ${code}`);
    },
  },
];

/** The machine's process says that its group is released, or is gone before it can. */
const ENDS_OF_LEAVING = ['GROUP_RELEASED', 'OUTCOME_UNKNOWN'];
