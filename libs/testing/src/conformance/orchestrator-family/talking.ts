import {
  EventInvalidError,
  MachineStoppedError,
  RequestTimeoutError,
  StepError,
  UnknownMachineError,
} from '@nestjs-orchestrator/core';
import { equal, holds, rejection } from '../checks.js';
import { handled } from '../gates.js';
import { entriesIn, notebook, upTo } from './notebook.js';
import type { Draft } from './scene.js';

const MANY = 2_000;
/** Events that are sent one after the other. */
const AWAITED = 100;

/** Machines that talk as if they were side by side. */
export const talking: readonly Draft[] = [
  {
    name: 'sends events to a machine, in the order of its sender, each once',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      for (const entry of upTo(MANY)) {
        if (entry % 3 === 0 || !ref.trySend({ type: 'NOTE', entry })) await ref.send({ type: 'NOTE', entry });
      }
      equal(await entriesIn(ref), upTo(MANY), 'what the machine was sent');
    },
  },
  {
    name: 'keeps the order of each of several senders to each of several machines',
    async play(scene) {
      const [one, two] = await scene.pair();
      const ids = ['a', 'b', 'c'];
      for (const id of ids) await two.spawn(id);
      const stream = async (from: string, refs: ReturnType<typeof one.group.ref>[]): Promise<void> => {
        for (const number of upTo(AWAITED)) {
          for (const ref of refs) await ref.send({ type: 'NOTE', entry: `${from} ${number}` });
        }
      };
      const refs = ids.map((id) => scene.far(one, id));
      const own = (id: string) =>
        two.notes(
          id,
          upTo(AWAITED).map((number) => `z ${number}`),
        );
      await Promise.all([stream('x', refs), stream('y', refs), ...ids.map(own)]);
      for (const ref of refs) {
        const entries = await entriesIn(ref);
        for (const from of ['x', 'y', 'z']) {
          equal(
            entries.filter((entry) => String(entry).startsWith(from)),
            upTo(AWAITED).map((number) => `${from} ${number}`),
            `what machine '${ref.id}' has of '${from}'`,
          );
        }
      }
    },
  },
  {
    name: 'carries events both ways at once, each way in order',
    inOneCluster: true,
    async play(scene) {
      const [one, two] = await scene.pair();
      await one.spawn('here');
      await two.spawn('there');
      await Promise.all([one.notes('there', upTo(AWAITED)), two.notes('here', upTo(AWAITED))]);
      equal(await one.entries('there'), upTo(AWAITED), 'what the other process was sent');
      equal(await two.entries('here'), upTo(AWAITED), 'what this process was sent');
    },
  },
  {
    name: 'carries empty events, and large ones',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      const entries = [
        undefined,
        '',
        'x'.repeat(20_000),
        '字'.repeat(3_000),
        { nested: [1, null, { a: true }] },
      ];
      for (const entry of entries) {
        await ref.send(entry === undefined ? { type: 'NOTE' } : { type: 'NOTE', entry });
      }
      const texts = entries.map((entry) => JSON.stringify(entry) ?? null);
      equal(await two.texts('book'), texts, 'what the machine was sent');
    },
  },
  {
    name: 'carries an event of a megabyte and the snapshot with it, in order with small ones',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      const entries = ['before', 'x'.repeat(1_000_000), 'between', '字'.repeat(350_000), 'after'];
      await Promise.all(entries.map((entry) => ref.send({ type: 'NOTE', entry })));
      const kept = await entriesIn(ref);
      equal(
        kept.map((entry) => String(entry).length),
        entries.map(({ length }) => length),
        'lengths of what the machine was sent',
      );
      holds(
        entries.every((entry, at) => entry === kept[at]),
        'each entry comes back as it was sent',
      );
    },
  },
  {
    name: 'answers requests with reply, change and snapshot',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = one.group.ref(notebook, scene.address('book'));
      const first = await ref.request({ type: 'NOTE', entry: 1 });
      const second = await ref.request({ type: 'READ' });
      const third = await scene.far(one, 'book').request({ type: 'NOBODY_ANSWERS' });
      equal([first.changed, second.changed, third.changed], [true, true, false], 'whether there was a step');
      equal(second.reply, 1, 'the reply');
      equal((second.snapshot.context as { entries: unknown }).entries, [1], 'the entries in the snapshot');
      equal((await ref.currentSnapshot()).status, 'active', 'the status of the machine');
    },
  },
  {
    name: 'answers many requests at once, each with its own reply',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      const asked = upTo(200).map(async (entry) => {
        await ref.send({ type: 'NOTE', entry });
        return (await ref.request({ type: 'READ' })).reply;
      });
      const replies = (await Promise.all(asked)) as number[];
      holds(
        replies.every((count, at) => count > at),
        'each reply counts at least what was sent before its request',
      );
    },
  },
  {
    name: 'gives failures back by code and name',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const error = await rejection(
        () => scene.far(one, 'book').request({ type: 'FAIL' }),
        'a step that fails',
      );
      holds(error instanceof StepError, `a StepError, not ${String(error)}`);
      equal([error.code, error.machine, error.event], ['STEP_FAILED', 'book', 'FAIL'], 'what it says');
      equal((error.cause as Error).message, 'as it was told', 'its cause');
    },
  },
  {
    name: 'gives a request up by time, and takes back what has not begun',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      const held = handled(ref.request({ type: 'HOLD' }));
      await two.held();
      const late = await rejection(
        () => ref.request({ type: 'NOTE', entry: 'late' }, { timeoutMs: 20 }),
        'time',
      );
      holds(late instanceof RequestTimeoutError, `a RequestTimeoutError, not ${String(late)}`);
      const abort = new AbortController();
      const aborted = handled(
        rejection(
          () => ref.request({ type: 'NOTE', entry: 'aborted' }, { signal: abort.signal }),
          'a request whose signal aborts',
        ),
      );
      const reason = new Error('given up');
      abort.abort(reason);
      equal((await scene.arrives(aborted, 'the end of that request')) === reason, true, 'the reason');
      // Behind what was taken back, so that it has arrived.
      const behind = ref.send({ type: 'NOTE', entry: 'kept' });
      await behind;
      await two.letGo();
      await held;
      equal(await entriesIn(ref), ['kept'], 'what the machine was sent');
    },
  },
  {
    name: 'lets an action send to machines wherever they are, in order, and ask them',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const clerk = await one.group.spawn(notebook, { id: 'clerk' });
      await clerk.request({ type: 'PASS_ON', to: scene.address('book'), entries: upTo(200) });
      await scene.far(one, 'book').send({ type: 'NOTE', entry: 'behind' });
      equal(await entriesIn(scene.far(one, 'book')), [...upTo(200), 'behind'], 'what the machine was sent');
      equal((await clerk.request({ type: 'ASK', to: scene.address('book') })).reply, 201, 'what it answers');
    },
  },
  {
    name: 'waits for states',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      const closed = handled(ref.waitFor('closed'));
      await ref.request({ type: 'READ' });
      await ref.send({ type: 'CLOSE' });
      equal((await scene.arrives(closed, 'the state')).status, 'done', 'the status of the machine');
    },
  },
  {
    name: 'broadcasts to all machines of all processes',
    inOneCluster: true,
    async play(scene) {
      const [one, two] = await scene.pair();
      await one.spawn('a');
      await two.spawn('b');
      await two.spawn('c');
      equal(await one.group.broadcast({ type: 'NOTE', entry: 'all' }), 3, 'machines that were reached');
      for (const id of ['a', 'b', 'c'])
        equal(await entriesIn(one.group.ref(id)), ['all'], `what '${id}' was sent`);
    },
  },
  {
    name: 'lets a sender wait while a machine has no room, and loses nothing',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      const held = handled(ref.request({ type: 'HOLD' }));
      await two.held();
      let taken = 0;
      while (taken < 50_000 && ref.trySend({ type: 'NOTE', entry: taken })) taken += 1;
      holds(taken < 50_000, `trySend says no in the end; it took ${taken}`);
      const waiting = handled(ref.send({ type: 'NOTE', entry: taken }));
      await two.letGo();
      await held;
      await scene.arrives(waiting, 'room for the one that waits');
      equal((await ref.request({ type: 'READ' })).reply, taken + 1, 'how many came in');
    },
  },
  {
    name: 'refuses what is no event, wherever the machine is',
    async play(scene) {
      const [one, two] = await scene.pair();
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      await ref.send({ type: 'NOTE', entry: 1 });
      for (const event of [{ type: '' }, { type: 'xstate.init' }, { type: '*' }, null]) {
        const error = await rejection(() => ref.send(event as never), 'something that is no event');
        holds(error instanceof EventInvalidError, `an EventInvalidError, not ${String(error)}`);
      }
      equal(await entriesIn(ref), [1], 'what the machine was sent');
    },
  },
  {
    name: 'does not know machines that are not there, or are stopped',
    async play(scene) {
      const [one, two] = await scene.pair();
      const missing = await rejection(async () => scene.far(one, 'nobody').send({ type: 'READ' }), 'nobody');
      holds(missing instanceof UnknownMachineError, `an UnknownMachineError, not ${String(missing)}`);
      equal(await one.group.locate(scene.address('nobody')), undefined, 'where nobody is');
      await two.spawn('book');
      const ref = scene.far(one, 'book');
      await ref.send({ type: 'NOTE', entry: 1 });
      equal((await one.group.locate(scene.address('book')))?.id, 'book', 'the machine that is there');
      await ref.stop();
      equal(await one.group.locate(scene.address('book')), undefined, 'where a machine is that was stopped');
      const stopped = await rejection(() => ref.send({ type: 'READ' }), 'a send to a stopped machine');
      holds(
        stopped instanceof UnknownMachineError || stopped instanceof MachineStoppedError,
        `an UnknownMachineError or MachineStoppedError, not ${String(stopped)}`,
      );
    },
  },
];
