import { describe, expect, it } from 'vitest';
import { type LaneMemory, laneWords } from '../../../libs/transports/src/shared-memory/lane/lane-memory.js';
import { LaneReader } from '../../../libs/transports/src/shared-memory/lane/lane-reader.js';
import { LaneWriter } from '../../../libs/transports/src/shared-memory/lane/lane-writer.js';
import { SleepFlag } from '../../../libs/transports/src/shared-memory/lane/sleep-flag.js';
import {
  explore,
  FLAGS,
  LANE,
  type Model,
  type Program,
  READER,
  type State,
  type Steps,
} from './interleavings.js';

const frame = (n: number) => new Uint8Array(new Int32Array([n, -n]).buffer);

interface Parts {
  readonly writerMemory?: (memory: LaneMemory) => LaneMemory;
  readonly readerMemory?: (memory: LaneMemory) => LaneMemory;
  readonly flag?: typeof SleepFlag;
  /** Wrongly: the bell is silenced when the reader has looked for the last time. */
  readonly silencesLate?: boolean;
}

const flagOf = (steps: Steps, actor: number, { flag = SleepFlag }: Parts) =>
  new flag(steps.memory(FLAGS), actor);

/** Sends a frame each round; waits where there is no room. */
const sender =
  (actor: number, count: number, parts: Parts = {}): Program =>
  (steps, { round, positions }) => {
    const memory = steps.memory((actor - 1) * LANE);
    const writer = new LaneWriter(parts.writerMemory?.(memory) ?? memory);
    Object.assign(writer, positions[0]);
    const own = flagOf(steps, actor, parts);
    const next = frame(actor * 10 + round);
    if (!writer.tryWrite(next)) {
      writer.wantRoom(true);
      while (!writer.tryWrite(next)) {
        steps.silence();
        if (own.trySleep(() => writer.hasRoomFor(next.length))) steps.waitForBell();
        own.wake();
      }
      writer.wantRoom(false);
    }
    flagOf(steps, READER, parts).rouse(() => steps.ring(READER));
    const { tail, head } = writer as unknown as { tail: number; head: number };
    return round + 1 === count ? undefined : { round: round + 1, positions: [{ tail, head }], output: [] };
  };

/** Reads everything there is each round, and sleeps where there is nothing. */
const receiver =
  (lanes: number, parts: Parts = {}): Program =>
  (steps) => {
    const { output } = steps;
    const own = flagOf(steps, READER, parts);
    const readers = Array.from({ length: lanes }, (_, lane) => {
      const memory = steps.memory(lane * LANE);
      const damaged = () => void output.push(-(lane + 1) * 10);
      return new LaneReader(parts.readerMemory?.(memory) ?? memory, { onCorrupt: damaged });
    });
    for (const [lane, reader] of readers.entries()) {
      for (let next = reader.read(); next !== undefined; next = reader.read()) {
        const [first = 0, second = 0] = new Int32Array(next.buffer, next.byteOffset, 2);
        output.push(first === -second ? first : -(lane + 1) * 10);
      }
      if (reader.isRoomWanted) flagOf(steps, lane + 1, parts).rouse(() => steps.ring(lane + 1));
    }
    // What has rung was answered above.
    if (parts.silencesLate !== true) steps.silence();
    if (own.trySleep(() => readers.some((reader) => reader.isReady))) {
      if (parts.silencesLate === true) steps.silence();
      steps.waitForBell();
    }
    own.wake();
    return { round: 0, positions: [], output };
  };

const published = (state: State, lane: number) => (state.words[lane * LANE + laneWords.tail] as number) / 16;
const received = (state: State, lane: number) =>
  (state.actors[READER]?.output ?? []).filter((n) => Math.floor(n / 10) === lane + 1).length;

/** Everything that was published was read, and a sender that lives has sent all. */
function allRead(count: number): Model['atRest'] {
  return (state) => {
    if (state.actors[READER]?.status === 'dead') return undefined;
    for (const [index, actor] of state.actors.entries()) {
      if (index === READER) continue;
      if (actor.status === 'waits') return `sender ${index} waits for ever`;
      const lane = index - 1;
      if (actor.status === 'ended' && published(state, lane) !== count) return `sender ${index} sent less`;
      if (received(state, lane) !== published(state, lane)) return `a frame of sender ${index} is never read`;
    }
    return undefined;
  };
}

const single = (parts: Parts, more: Partial<Model> = {}): Model => ({
  programs: [receiver(1, parts), sender(1, 3, parts)],
  atRest: allRead(3),
  ...more,
});

const secondIsRead: Model['atRest'] = (state) =>
  received(state, 1) === 1 ? undefined : 'a frame of sender 2 is never read';

describe('lane and doorbell, every interleaving', () => {
  it('deliver each frame once, in order, and nobody sleeps for ever, also where the sender dies between any two steps', () => {
    const { fault, states } = explore(single({}, { mortal: [1], deathIsTold: true }));
    expect(fault).toBeUndefined();
    expect(states).toBeGreaterThan(10_000);
  });

  it('give nothing twice and nothing damaged while the reader dies between any two steps', () => {
    expect(explore(single({}, { mortal: [READER] })).fault).toBeUndefined();
  });

  it("read one sender's frames although another one died on its way to the bell", () => {
    const model = { programs: [receiver(2), sender(1, 1), sender(2, 1)], mortal: [1], atRest: secondIsRead };
    expect(explore(model).fault).toBeUndefined();
  });
});

describe('the model finds', () => {
  it('a sleep flag that is set plainly', () => {
    const { fault } = explore(single({}, { plain: [FLAGS + READER] }));
    expect(fault).toMatch(/never read|for ever/);
  });

  it('a tail that is published before its payload', () => {
    const tailFirst = (memory: LaneMemory): LaneMemory => {
      const held: (() => void)[] = [];
      return {
        ...memory,
        writePair: (...pair) => void held.push(() => memory.writePair(...pair)),
        write: (...bytes) => void held.push(() => memory.write(...bytes)),
        store: (word, value) => {
          memory.store(word, value);
          for (const write of held.splice(0)) write();
        },
      };
    };
    expect(explore(single({ writerMemory: tailFirst })).fault).toBeDefined();
  });

  it('a head that moves before the copy', () => {
    const headFirst = (memory: LaneMemory): LaneMemory => ({
      ...memory,
      copy: (at, length) => {
        memory.store(laneWords.head, (memory.load(laneWords.head) + length) | 0);
        return memory.copy(at, length);
      },
    });
    expect(explore(single({ readerMemory: headFirst })).fault).toMatch(/received/);
  });

  it('a reader that looks first and sets the flag afterwards', () => {
    class LooksFirst extends SleepFlag {
      override trySleep(isReady: () => boolean): boolean {
        return !isReady() && super.trySleep(() => false);
      }
    }
    expect(explore(single({ flag: LooksFirst })).fault).toMatch(/never read|for ever/);
  });

  it('a bell that is silenced after the last look', () => {
    expect(explore(single({ silencesLate: true })).fault).toMatch(/never read|for ever/);
  });

  it('a sender that clears the flag before it rings, and dies in between', () => {
    class ClearsFirst extends SleepFlag {
      override rouse(ring: () => void): void {
        let rings = false;
        super.rouse(() => {
          rings = true;
        });
        if (rings) ring();
      }
    }
    const parts = { flag: ClearsFirst };
    const programs = [receiver(2, parts), sender(1, 1, parts), sender(2, 1, parts)];
    expect(explore({ programs, mortal: [1], atRest: secondIsRead }).fault).toMatch(/sender 2/);
  });
});
