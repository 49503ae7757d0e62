import { defineMachine } from '@nestjs-orchestrator/statechart';
import { describe, expect, it, onTestFinished } from 'vitest';
import { memoryNetwork, memoryTransport } from '../../memory/index.js';
import { silentLogger } from '../../ports/logger.js';
import { systemClock } from '../../ports/system-clock.js';
import type { Endpoint, Transport } from '../../ports/transport.js';
import { createOrchestrator } from '../create-orchestrator.js';
import { OutcomeUnknownError, PeerProtocolError } from './cluster-errors.js';
import { Batch } from './wire/batch.js';
import {
  ACCEPTED,
  ANSWER,
  CHANGED,
  DONE,
  EVENT,
  NAMED_EVENT,
  FAILED,
  HAS_REPLY,
  HELLO,
  MAGIC,
  PROBE,
  READ,
  REFUSAL,
  REPLY,
  REQUEST,
  TARGET,
  VERSION,
} from './wire/format.js';
import { FrameReader } from './wire/frame-reader.js';

const counter = defineMachine({
  id: 'counter',
  initial: 'a',
  states: { a: { on: { NEXT: 'b', COUNT: {} } }, b: { on: { NEXT: 'a' } } },
});

/** Writes frames by hand. */
class Words {
  private readonly batch = new Batch();

  /** @param number of the frame */
  constructor(private readonly number: number) {}

  say(kind: number, numbers: readonly number[] = [], payload?: unknown): this {
    this.batch.heads.byte(kind);
    for (const number of numbers) this.batch.heads.number(number);
    if (payload !== undefined)
      this.batch.payload(typeof payload === 'string' ? payload : JSON.stringify(payload));
    return this;
  }

  /** Names itself and the machine that handle 0 means. */
  hello(): this {
    return this.say(HELLO, [], { group: 'counters' }).say(TARGET, [0], ['counters', 'one']);
  }

  bytes(): Uint8Array {
    return this.batch.writeTo(new Uint8Array(this.batch.mostBytes), this.number) as Uint8Array;
  }
}

/** What was heard: the kind of each remark, with its numbers, and the code of failures. */
function heard(frames: readonly Uint8Array[]): string[] {
  return frames.flatMap((frame) =>
    frame[1] === REFUSAL ? [`refusal ${frame[2]} ${frame[3]}`] : remarksIn(frame),
  );
}

/** A run may be told in parts. */
function doneIn(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `done ${first + at}`);
}

function answerIn(reader: FrameReader): string {
  const [number, flags, snapshot] = [reader.number(), reader.byte(), reader.text()];
  const reply = (flags & HAS_REPLY) === 0 ? '' : ` ${JSON.stringify(reader.payload())}`;
  return `answer ${number} ${flags & CHANGED ? 'changed' : 'unchanged'} ${snapshot.slice(0, 15)}${reply}`;
}

function remarksIn(frame: Uint8Array): string[] {
  const remarks: string[] = [];
  const reader = new FrameReader(frame);
  while (!reader.isAtEnd) {
    const kind = reader.byte();
    if (kind === HELLO) reader.payload();
    else if (kind === ACCEPTED) remarks.push(`accepted ${reader.number()}`);
    else if (kind === DONE) remarks.push(...doneIn(reader.number(), reader.number()));
    else if (kind === REPLY)
      remarks.push(`reply ${reader.number()} ${JSON.stringify(reader.payload()).slice(0, 15)}`);
    else if (kind === ANSWER) remarks.push(answerIn(reader));
    else if (kind === FAILED)
      remarks.push(`failed ${reader.number()} ${String((reader.payload() as { code: unknown }).code)}`);
    else if (kind === READ) remarks.push(`read ${reader.number()}`);
    else return [...remarks, `kind ${kind}`];
  }
  return remarks;
}

/** Whatever is ready to happen between processes happens. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** An orchestrator with one machine, and a stranger that speaks to it by bytes. */
async function stage(what: { readonly mayForget?: boolean } = {}) {
  const network = memoryNetwork();
  const transport = memoryTransport(network);
  const forgetful: Transport = {
    type: transport.type,
    join: async (options, receiver) => {
      const seat = await transport.join(options, receiver);
      return Object.assign(seat, { giveUp: () => network.expel(seat.self) });
    },
  };
  const group = await createOrchestrator({
    name: 'counters',
    cluster: 'test',
    endpoint: 'home',
    type: 'memory',
    transports: { memory: what.mayForget === true ? forgetful : transport },
  });
  onTestFinished(() => group.release());
  group.register(counter);
  const machine = await group.spawn(counter, { id: 'one' });
  const frames: Uint8Array[] = [];
  const stranger = await transport.join(
    { cluster: 'test', endpoint: 'stranger', clock: systemClock, logger: silentLogger },
    { onFrame: (_from, frame) => void frames.push(frame), onPeer() {} },
  );
  onTestFinished(() => stranger.leave());
  const say = async (bytes: Uint8Array): Promise<void> => {
    await stranger.send(stranger.peers()[0]?.endpoint as Endpoint, bytes);
    await turns();
  };
  return { group, machine, stranger, say, heard: () => heard(frames.splice(0)) };
}

function stateOf(machine: { snapshot(): { readonly context: unknown } }): unknown {
  return machine.snapshot();
}

describe('what another process says', () => {
  it('is accepted up to a number when it is in the mailbox, and done when its steps are', async () => {
    const { say, heard, group } = await stage();
    await say(
      new Words(1).hello().say(EVENT, [0], { type: 'NEXT' }).say(EVENT, [0], { type: 'NEXT' }).bytes(),
    );
    expect(heard()).toEqual(['accepted 2', 'done 1', 'done 2']);
    expect(group.stats().processed).toBe(3);
  });

  it('is handled once, also if the same frame comes again', async () => {
    const { say, heard, group } = await stage();
    const words = new Words(1).hello().say(EVENT, [0], { type: 'NEXT' }).bytes();
    await say(words);
    await say(words);
    await say(new Words(2).say(EVENT, [0], { type: 'NEXT' }).bytes());
    await say(words);
    expect(heard()).toEqual(['accepted 1', 'done 1', 'accepted 2', 'done 2']);
    expect(group.stats().processed).toBe(3);
  });

  it('is said to have been read as far as it was, whenever that is asked', async () => {
    const { say, heard } = await stage();
    await say(new Words(1).hello().say(PROBE).bytes());
    expect(heard()).toEqual(['read 1']);
    await say(new Words(2).say(EVENT, [0], { type: 'NEXT' }).bytes());
    expect(heard()).toEqual(['accepted 1', 'done 1']);
    await say(new Words(3).say(PROBE).bytes());
    expect(heard()).toEqual(['read 3']);
  });

  it('is refused for itself alone where the event is none, or is the engine’s own', async () => {
    const { say, heard, machine } = await stage();
    const before = stateOf(machine);
    await say(
      new Words(1)
        .hello()
        .say(EVENT, [0], { type: 'xstate.done.actor.x' })
        .say(EVENT, [0], 'null')
        .say(EVENT, [0], '"text"')
        .say(EVENT, [0], { type: 'COUNT' })
        .bytes(),
    );
    expect(heard()).toEqual([
      'failed 1 EVENT_INVALID',
      'failed 2 EVENT_INVALID',
      'failed 3 EVENT_INVALID',
      'accepted 4',
      'done 4',
    ]);
    expect(stateOf(machine)).toEqual(before);
  });

  it('is answered with a failure where there is no such machine or group', async () => {
    const { say, heard } = await stage();
    await say(
      new Words(1)
        .hello()
        .say(TARGET, [1], ['counters', 'nobody'])
        .say(TARGET, [2], ['others', 'one'])
        .say(REQUEST, [1, 1_000], { type: 'NEXT' })
        .say(REQUEST, [2, 1_000], { type: 'NEXT' })
        .say(REQUEST, [0, 1_000], { type: 'NEXT' })
        .bytes(),
    );
    expect(heard()).toEqual([
      'failed 1 UNKNOWN_MACHINE',
      'failed 2 GROUP_UNREACHABLE',
      'accepted 3',
      'answer 3 changed {"machine":"cou',
    ]);
  });

  it.each([
    ['is of another version', () => Uint8Array.of(MAGIC, VERSION + 1, 1, 0), 1],
    ['is no frame', () => new TextEncoder().encode('GET / HTTP/1.1'), 1],
    ['is empty', () => new Uint8Array(), 1],
    ['ends too early', () => new Words(1).hello().bytes().subarray(0, 6), 2],
    ['is of no kind', () => new Words(1).hello().say(99).bytes(), 2],
    ['holds a remark of no kind', () => new Words(1).hello().say(15).bytes(), 2],
    [
      'comes after a frame that is missing',
      () => new Words(2).hello().say(EVENT, [0], { type: 'NEXT' }).bytes(),
      2,
    ],
    ['does not say whose it is', () => new Words(1).say(EVENT, [0], { type: 'NEXT' }).bytes(), 2],
    [
      'means a machine that it did not name',
      () => new Words(1).hello().say(EVENT, [5], { type: 'NEXT' }).bytes(),
      2,
    ],
    ['names a machine by no name', () => new Words(1).hello().say(TARGET, [1], [1, 2]).bytes(), 2],
    [
      'names too many machines',
      () => new Words(1).hello().say(TARGET, [16_384], ['counters', 'one']).bytes(),
      2,
    ],
    ['is done with what it did not accept', () => new Words(1).hello().say(DONE, [1, 1]).bytes(), 2],
    ['has read what was not sent', () => new Words(1).hello().say(READ, [7]).bytes(), 2],
    ['accepts what was not sent', () => new Words(1).hello().say(ACCEPTED, [7]).bytes(), 2],
    ['has no payload where there must be one', () => new Words(1).hello().say(EVENT, [0]).bytes(), 2],
    [
      'does not say which message it is',
      () => new Words(1).hello().say(NAMED_EVENT, [0], { type: 'NEXT' }).bytes(),
      2,
    ],
    ['has more than a message', () => new Words(1).hello().say(NAMED_EVENT, [0], ['id', {}, 1]).bytes(), 2],
    ['has no number', () => Uint8Array.of(MAGIC, VERSION, 0x80, 0, 0), 2],
    ['has an answer of unknown flags', () => new Words(1).hello().say(ANSWER, [1, 4, 0]).bytes(), 2],
    ['ends within a text', () => new Words(1).hello().say(ANSWER, [1, 0, 9]).bytes(), 2],
    ['has a text that is no UTF-8', () => new Words(1).hello().say(ANSWER, [1, 0, 1]).say(0xff).bytes(), 2],
    ['is a piece after one that is missing', () => Uint8Array.of(MAGIC, VERSION, 0, 1, 9, 1, 7), 2],
    ['is a piece that is empty', () => Uint8Array.of(MAGIC, VERSION, 0, 1, 9, 0), 2],
    ['is a piece of a piece', () => Uint8Array.of(MAGIC, VERSION, 0, 1, 6, 0, MAGIC, VERSION, 0, 1, 0, 1), 2],
    ['is a piece of no frame', () => Uint8Array.of(MAGIC, VERSION, 0, 1, 3, 0, 1, 2, 3), 2],
    ['has payloads that are no JSON', () => new Words(1).hello().say(EVENT, [0], '{').bytes(), 2],
  ])('is refused, and nothing more is read, where it %s', async (_what, bytes, reason) => {
    const { say, heard, group, stranger } = await stage();
    await stranger.claim('counters/theirs', 'counter');
    await say(bytes());
    expect(heard()).toEqual([`refusal ${reason} ${VERSION}`]);
    await say(new Words(1).hello().say(EVENT, [0], { type: 'NEXT' }).bytes());
    expect(heard()).toEqual([]);
    expect(group.stats().processed).toBe(1);
    await expect(group.ref('theirs').send({ type: 'NEXT' })).rejects.toBeInstanceOf(PeerProtocolError);
    await expect(group.ref('one').request({ type: 'NEXT' })).resolves.toMatchObject({ changed: true });
  });

  it.each([
    ['after one that is missing', () => [new Words(2).hello().say(EVENT, [0], { type: 'NEXT' }).bytes()]],
    [
      'that says nothing by itself, after one that is missing',
      () => [new Words(2).say(HELLO, [], {}).bytes()],
    ],
    [
      'without envelopes, after another one without any that is missing',
      () => [new Words(1).hello().bytes(), new Words(3).say(PROBE).bytes()],
    ],
    [
      'after pieces the last of which is missing',
      () => [Uint8Array.of(MAGIC, VERSION, 0, 1, 9, 0, 7), new Words(2).say(PROBE).bytes()],
    ],
  ])(
    'leads to another incarnation of who hears it, over a transport that may forget: a frame %s',
    async (_what, frames) => {
      const { say, heard, group, stranger } = await stage({ mayForget: true });
      const [former] = stranger.peers();
      for (const frame of frames()) await say(frame);
      await turns();
      const [present] = stranger.peers();
      expect(present?.endpoint).toMatchObject({ name: 'home' });
      expect(present?.endpoint.incarnation).not.toBe(former?.endpoint.incarnation);
      expect(group.stats().cluster).toMatchObject({ rejoins: 1 });
      expect(heard()).toEqual([]);
      await say(new Words(1).hello().say(EVENT, [0], { type: 'NEXT' }).bytes());
      expect(heard()).toEqual(['accepted 1', 'done 1']);
    },
  );

  it('is taken back where it has not begun, and what came then can’t be read', async () => {
    const { say, heard, group } = await stage();
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    onTestFinished(goOn);
    const holder = defineMachine({
      id: 'holder',
      initial: 'a',
      states: { a: { on: { HOLD: { actions: 'hold' }, NEXT: 'b' } }, b: { type: 'final' } },
    });
    group.register(holder, { actions: { hold: () => held } });
    const machine = await group.spawn(holder, { id: 'two' });
    await say(
      new Words(1)
        .hello()
        .say(TARGET, [1], ['counters', 'two'])
        .say(REQUEST, [1, 60_000], { type: 'HOLD' })
        .say(REQUEST, [1, 60_000], { type: 'NEXT' })
        .bytes(),
    );
    expect([heard(), group.stats().pendingRequests]).toEqual([['accepted 2'], 2]);
    await say(new Words(2).say(99).bytes());
    expect([heard(), group.stats().pendingRequests]).toEqual([[`refusal 2 ${VERSION}`], 0]);
    goOn();
    await turns();
    expect(machine.snapshot().status).toBe('active');
  });

  it('is refused in the middle of the pieces of another one', async () => {
    const { say, heard } = await stage();
    await say(Uint8Array.of(MAGIC, VERSION, 0, 1, 9, 0, 7));
    expect(heard()).toEqual([]);
    await say(new Words(2).hello().bytes());
    expect(heard()).toEqual([`refusal 2 ${VERSION}`]);
  });

  it('ends in PeerProtocolError for what was sent, where the other process refuses to read it', async () => {
    const { say, group, stranger } = await stage();
    await stranger.claim('counters/theirs', 'counter');
    const sent = group.ref('theirs').request({ type: 'NEXT' });
    const refused = expect(sent).rejects.toBeInstanceOf(PeerProtocolError);
    await turns();
    await say(Uint8Array.of(MAGIC, REFUSAL, 1, 9));
    await refused;
    await expect(group.ref('theirs').send({ type: 'NEXT' })).rejects.toThrow('version 9');
  });

  it('leaves open what became of what was sent, where the other process stops to read in the middle', async () => {
    const { say, group, stranger } = await stage();
    await stranger.claim('counters/theirs', 'counter');
    const sent = group.ref('theirs').request({ type: 'NEXT' });
    const unknown = expect(sent).rejects.toBeInstanceOf(OutcomeUnknownError);
    await turns();
    await say(Uint8Array.of(MAGIC, REFUSAL, 2, VERSION));
    await unknown;
  });

  it('may be done, failed or answered more than once: the first counts', async () => {
    const { say, group, stranger } = await stage();
    await stranger.claim('counters/theirs', 'counter');
    const ref = group.ref('theirs');
    const sent = ref.send({ type: 'NEXT' });
    const asked = ref.request({ type: 'NEXT' });
    await turns();
    await say(
      new Words(1)
        .hello()
        .say(REPLY, [2], { changed: true, reply: 1 })
        .say(REPLY, [2], { changed: true, reply: 2 })
        .say(FAILED, [2], { code: 'X' })
        .say(ACCEPTED, [2])
        .say(ACCEPTED, [1])
        .say(DONE, [1, 2])
        .say(REPLY, [77], {})
        .say(ANSWER, [78, HAS_REPLY, 0], 1)
        .bytes(),
    );
    await sent;
    expect(await asked).toMatchObject({ changed: true, reply: 1 });
    expect(group.stats().cluster).toMatchObject({ unaccepted: 0, unfinished: 0 });
  });

  it('can’t reach a prototype, however it is written', async () => {
    const { say, heard } = await stage();
    await say(
      new Words(1)
        .hello()
        .say(EVENT, [0], '{"type":"NEXT","__proto__":{"polluted":1}}')
        .say(EVENT, [0], '{"type":"NEXT","\\u005f_proto__":{"polluted":1}}')
        .bytes(),
    );
    expect(heard()).toEqual(['accepted 2', 'done 1', 'done 2']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
