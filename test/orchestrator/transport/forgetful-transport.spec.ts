import {
  createOrchestrator,
  type MachineRef,
  OutcomeUnknownError,
  type OrchestratorOptions,
} from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport, type MemoryNetworkLimits } from '@nestjs-orchestrator/core/memory';
import type { Endpoint, Transport } from '@nestjs-orchestrator/core/ports';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rejection } from '../support.js';
import { entriesAt, ledger, registerLedger, stage as plainStage, turns, upTo } from './support.js';

/** Frames that a process hands to the server: what it takes, and what it forgets before anybody has read it. */
interface Post {
  taken: number;
  /** Whether the server forgets the frame. */
  forgets: (frame: Uint8Array) => boolean;
}

const nothing = (): boolean => false;

/** Two processes over a server that may forget frames which it has taken. 'books' is at process two, and process one has found it. */
async function stage(limits: MemoryNetworkLimits = {}, options: OrchestratorOptions = {}) {
  const network = memoryNetwork(limits);
  const clock = new VirtualClock();
  const join = async (endpoint: string) => {
    const inner = memoryTransport(network);
    const post: Post = { taken: 0, forgets: nothing };
    const transport: Transport = {
      type: inner.type,
      join: async (how, receiver) => {
        const seat = await inner.join(how, receiver);
        const trySend = seat.trySend.bind(seat);
        return Object.assign(seat, {
          giveUp: () => network.expel(seat.self),
          trySend: (to: Endpoint, frame: Uint8Array) => {
            post.taken += 1;
            return post.forgets(frame) || trySend(to, frame);
          },
        });
      },
    };
    const group = await createOrchestrator({
      name: 'ledgers',
      cluster: 'shop',
      endpoint,
      clock,
      type: inner.type,
      transports: { [inner.type]: transport },
      ...options,
    });
    onTestFinished(() => group.release());
    return { group, post, hands: registerLedger(group) };
  };
  const [one, two] = [await join('one'), await join('two')];
  await two.group.spawn(ledger, { id: 'books' });
  const ref = one.group.ref('books');
  await ref.send({ type: 'ADD', entry: 'before' });
  const pass = async (ms: number): Promise<void> => {
    await turns();
    await clock.advance(ms);
    await turns();
  };
  // What was said of the first event is confirmed.
  await pass(10_000);
  return { network, clock, one, two, ref, pass };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** The server forgets the next frame of a process. */
function forgetsNext({ post }: Stage['one'], count = 1): void {
  let left = count;
  post.forgets = () => (left -= 1) >= 0;
}

const SOON_MS = 10_000;
const DAY_MS = 86_400_000;

function rejoins({ group }: Stage['one']): unknown {
  return (group.stats().cluster as { rejoins: number }).rejoins;
}

/** Both go on, and what comes then is handled. */
async function goesOn({ ref }: Stage, entries: readonly unknown[]): Promise<void> {
  await ref.send({ type: 'ADD', entry: 'after' });
  expect(await entriesAt(ref)).toEqual([...entries, 'after']);
}

describe('a server that forgets the last frame', () => {
  it.each<[what: string, who: 'one' | 'two', does: (ref: MachineRef) => Promise<unknown>, kept: unknown[]]>([
    ['with an event', 'one', (ref) => ref.send({ type: 'ADD', entry: 'x' }), []],
    ['that says that it is in the mailbox', 'two', (ref) => ref.send({ type: 'ADD', entry: 'x' }), ['x']],
    ['with a request', 'one', (ref) => ref.request({ type: 'COUNT' }), []],
    ['with its answer', 'two', (ref) => ref.request({ type: 'COUNT' }), []],
    ['that asks for a snapshot', 'one', (ref) => ref.currentSnapshot(), []],
    ['with the snapshot', 'two', (ref) => ref.currentSnapshot(), []],
    ['that waits for a state', 'one', (ref) => ref.waitFor('open'), []],
    ['that says that the state is reached', 'two', (ref) => ref.waitFor('open'), []],
  ])('%s ends what waits for it within seconds', async (_what, who, does, kept) => {
    const scene = await stage();
    const [loser, hears] = who === 'one' ? [scene.one, scene.two] : [scene.two, scene.one];
    forgetsNext(loser);
    const lost = rejection(does(scene.ref));
    await scene.pass(SOON_MS);
    expect(await lost).toBeInstanceOf(OutcomeUnknownError);
    expect([rejoins(hears), rejoins(loser)]).toEqual([1, 0]);
    expect(scene.one.group.stats().cluster).toMatchObject({ unaccepted: 0, unfinished: 0 });
    await goesOn(scene, ['before', ...kept]);
  });
});

describe('a frame without messages that the server forgets', () => {
  it('is missed before what is behind it counts: a refused event does not count as accepted', async () => {
    const scene = await stage();
    const { one, two, ref } = scene;
    await two.group.spawn(ledger, { id: 'other' });
    const other = one.group.ref('other');
    await other.send({ type: 'ADD', entry: 'first' });
    await two.group.ref('books').stop();
    forgetsNext(two);
    const refused = rejection(ref.send({ type: 'ADD', entry: 'for nobody' }));
    await turns();
    const behind = rejection(other.send({ type: 'ADD', entry: 'second' }));
    expect(await refused).toBeInstanceOf(OutcomeUnknownError);
    expect(await behind).toBeInstanceOf(OutcomeUnknownError);
  });

  it('holds nobody up who waits for room', async () => {
    const scene = await stage({}, { maxUnaccepted: 1 });
    const { two, ref, pass } = scene;
    forgetsNext(two);
    const first = rejection(ref.send({ type: 'ADD', entry: 'lost' }));
    const second = rejection(ref.send({ type: 'ADD', entry: 'had no room' }));
    await pass(SOON_MS);
    expect(await first).toBeInstanceOf(OutcomeUnknownError);
    expect(await second).toMatchObject({ code: 'PEER_LOST' });
    await goesOn(scene, ['before', 'lost']);
  });

  it('leaves no question behind that was taken back', async () => {
    const scene = await stage();
    const { one, two, ref, pass } = scene;
    const abort = new AbortController();
    const waits = rejection(ref.waitFor('ended', { signal: abort.signal }));
    await pass(SOON_MS);
    forgetsNext(one);
    abort.abort(new Error('enough'));
    expect(await waits).toMatchObject({ message: 'enough' });
    await pass(SOON_MS);
    expect(rejoins(two)).toBe(1);
    await goesOn(scene, ['before']);
  });
});

describe('what asks whether the last frame was read', () => {
  it('is asked again where the server forgets it as well', async () => {
    const scene = await stage();
    forgetsNext(scene.one, 4);
    const lost = rejection(scene.ref.send({ type: 'ADD', entry: 'x' }));
    await scene.pass(60_000);
    expect(await lost).toBeInstanceOf(OutcomeUnknownError);
    await goesOn(scene, ['before']);
  });

  it('is answered by a process that has no room for what it read; who has answered is not asked again', async () => {
    const scene = await stage({}, { actionTimeoutMs: 2 * DAY_MS });
    const { one, two, ref, pass } = scene;
    ref.trySend({ type: 'HOLD' });
    await two.hands.holding.opened;
    // The mailbox, and one more.
    for (let entry = 0; entry < 513; entry += 1) ref.trySend({ type: 'ADD', entry });
    await pass(SOON_MS);
    expect(one.group.stats().cluster).toMatchObject({ unaccepted: 1 });
    const taken = [one.post.taken, two.post.taken];
    await pass(DAY_MS);
    expect([one.post.taken, two.post.taken]).toEqual(taken);
    expect([rejoins(one), rejoins(two)]).toEqual([0, 0]);
    two.hands.hold.open();
    await goesOn(scene, ['before', ...upTo(513)]);
  });

  it('goes seldom to a process that stands still, and takes it for dead no sooner than others do', async () => {
    const scene = await stage();
    const { network, one, two, ref, pass } = scene;
    const there = { name: 'two', incarnation: one.group.processes()[0]?.incarnation as string };
    network.stall(there);
    const sent = ref.send({ type: 'ADD', entry: 'late' });
    await turns();
    const before = one.post.taken;
    await pass(3_600_000);
    expect(one.post.taken - before).toBeLessThan(70);
    network.resume(there);
    await sent;
    expect([rejoins(one), rejoins(two)]).toEqual([0, 0]);
    await goesOn(scene, ['before', 'late']);
  });

  it('is silent where nothing was said, and where everything was read', async () => {
    const { clock, one, two, pass } = await stage();
    const taken = [one.post.taken, two.post.taken];
    const timers = clock.scheduled;
    await pass(DAY_MS);
    expect([one.post.taken, two.post.taken]).toEqual(taken);
    expect(clock.scheduled).toBe(timers);
  });

  it('is never asked over a transport that forgets nothing', async () => {
    const clock = new VirtualClock();
    const { join } = plainStage();
    const [one, two] = [await join('one', { clock }), await join('two', { clock })];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    const waits = ref.waitFor('closed');
    await turns();
    const taken = [one.frames.length, two.frames.length];
    await clock.advance(DAY_MS);
    expect([one.frames.length, two.frames.length]).toEqual(taken);
    await ref.send({ type: 'CLOSE' });
    await waits;
  });
});

it('the last piece of a large message that the server forgets ends what waits for it', async () => {
  const scene = await stage({ maxFrameBytes: 1_000 });
  const { one, two, ref, pass } = scene;
  let pieces = 0;
  one.post.forgets = () => (pieces += 1) === 10;
  const lost = rejection(ref.send({ type: 'ADD', entry: 'x'.repeat(9_000) }));
  await pass(SOON_MS);
  expect(pieces).toBeGreaterThanOrEqual(10);
  expect(await lost).toBeInstanceOf(OutcomeUnknownError);
  expect(rejoins(two)).toBe(1);
  await goesOn(scene, ['before']);
});

/** What somebody does, and which frames of both processes the server forgets. */
const verb = fc.constantFrom('send', 'trySend', 'request', 'wait', 'give up', 'large', 'pause');
const plan = fc.record({
  verbs: fc.array(verb, { minLength: 1, maxLength: 12 }),
  one: fc.uniqueArray(fc.nat(20), { maxLength: 4 }),
  two: fc.uniqueArray(fc.nat(20), { maxLength: 4 }),
});

it('Whatever the server forgets, nobody waits for ever, and both processes go on', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ verbs, one: ofOne, two: ofTwo }) => {
      const { one, two, ref, pass } = await stage({ maxFrameBytes: 2_000 }, { maxUnaccepted: 2 });
      for (const [{ post }, places] of [
        [one, ofOne],
        [two, ofTwo],
      ] as const) {
        let at = -1;
        post.forgets = () => places.includes((at += 1));
      }
      const open: Promise<string>[] = [];
      const abort = new AbortController();
      for (const [at, each] of verbs.entries()) {
        if (each === 'pause') await pass(3_000);
        else if (each === 'give up') abort.abort(new Error('given up'));
        else if (each === 'trySend') ref.trySend({ type: 'ADD', entry: at });
        else open.push(endOf(does(ref, each, at, abort.signal)));
      }
      await pass(600_000);
      const ends = new Set(await Promise.all(open));
      for (const each of ENDS) ends.delete(each);
      expect([...ends]).toEqual([]);
      [one.post.forgets, two.post.forgets] = [nothing, nothing];
      await pass(600_000);
      await ref.send({ type: 'ADD', entry: 'after' });
      expect((await entriesAt(ref)).at(-1)).toBe('after');
      expect(one.group.stats().cluster).toMatchObject({ unaccepted: 0, unfinished: 0, waiting: 0 });
      await Promise.all([one.group.release(), two.group.release()]);
    }),
    { numRuns: 60 },
  );
});

const ENDS = ['handled', 'given up', 'OUTCOME_UNKNOWN', 'PEER_LOST', 'UNKNOWN_MACHINE'];

function endOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'handled',
    ({ code, message }: { code?: string; message: string }) => code ?? message,
  );
}

function does(ref: MachineRef, what: string, at: number, signal: AbortSignal): Promise<unknown> {
  if (what === 'send') return ref.send({ type: 'ADD', entry: at });
  if (what === 'large') return ref.send({ type: 'ADD', entry: 'x'.repeat(5_000) });
  if (what === 'wait') return ref.waitFor('open');
  return ref.request({ type: 'COUNT' }, { timeoutMs: Infinity, signal });
}
