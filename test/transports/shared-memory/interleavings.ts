import { type LaneMemory, laneWords } from '../../../libs/transports/src/shared-memory/lane/lane-memory.js';

/*
 * Every interleaving of the lane's and the flag's own code, for a ring of two records. One round of an actor is a plain function over a memory; it
 * is run from its start again and again, its steps so far answered from a log, and stopped in front of the step after the next one. So each access
 * to what others see is a step of its own, after which any other actor may go on, or the actor dies. Plain writes lie in a store buffer until their
 * actor's next atomic step, or until the explorer lets them out.
 */

export const CAPACITY = 32;
export const LANE = 32 + CAPACITY / 4;
export const LANES = 2;
export const FLAGS = LANES * LANE;
const WORDS = FLAGS + 3;

export interface State {
  readonly words: readonly number[];
  /** One for each actor: rung and not heard. */
  readonly bells: readonly boolean[];
  readonly actors: readonly Actor[];
}
export interface Actor {
  /** Answers to the steps of this round. */
  readonly log: readonly number[][];
  readonly buffer: readonly (readonly [word: number, value: number])[];
  readonly status: 'runs' | 'waits' | 'ended' | 'dead';
  readonly local: Local;
  /** Reader: frames as they came, up to now. */
  readonly output: readonly number[];
}

/** What an actor keeps between its rounds. */
export interface Local {
  readonly round: number;
  /** Fields of its writer or of its readers. */
  readonly positions: readonly object[];
  /** Reader: frames that came in earlier rounds. */
  readonly output: readonly number[];
}

class Suspended extends Error {
  constructor(readonly waits: boolean) {
    super('suspended');
  }
}

/** The memory of one run of one actor: answers from the log, then makes one real step, then stops. */
export class Steps {
  private cursor = 0;
  private made = false;
  readonly log: number[][];
  readonly words: number[];
  readonly bells: boolean[];
  buffer: (readonly [number, number])[];
  readonly output: number[];

  constructor(
    state: State,
    private readonly index: number,
    private readonly plain: ReadonlySet<number>,
  ) {
    const actor = state.actors[index] as Actor;
    this.log = [...actor.log];
    this.buffer = [...actor.buffer];
    this.output = [...actor.local.output];
    this.words = [...state.words];
    this.bells = [...state.bells];
  }

  step(perform: () => number[], waits = false): number[] {
    if (this.cursor === this.log.length) {
      if (this.made) throw new Suspended(waits);
      this.made = true;
      this.log.push(perform());
    }
    this.cursor += 1;
    return this.log[this.cursor - 1] as number[];
  }

  atomic(word: number, perform: () => number): number {
    return this.step(() => {
      if (!this.plain.has(word)) this.flush();
      return [perform()];
    })[0] as number;
  }

  flush(): void {
    for (const [word, value] of this.buffer) this.words[word] = value;
    this.buffer = [];
  }

  get(word: number): number {
    const own = this.buffer.findLast(([at]) => at === word);
    return own ? own[1] : (this.words[word] as number);
  }

  set(word: number, value: number): void {
    if (this.plain.has(word)) this.buffer.push([word, value]);
    else this.words[word] = value;
  }

  ring(actor: number): void {
    this.step(() => {
      this.bells[actor] = true;
      return [];
    });
  }

  /** Goes on once it rings, which it does until it is silenced. */
  waitForBell(): void {
    this.step(() => [], true);
  }

  silence(): void {
    this.step(() => {
      this.bells[this.index] = false;
      return [];
    });
  }

  memory(base: number): LaneMemory {
    return {
      capacity: CAPACITY,
      load: (word) => this.atomic(base + word, () => this.get(base + word)),
      store: (word, value) => void this.atomic(base + word, () => (this.set(base + word, value), 0)),
      exchange: (word, expected, value) =>
        this.atomic(base + word, () => {
          if (this.get(base + word) !== expected) return 0;
          this.set(base + word, value);
          return 1;
        }) === 1,
      writePair: (at, first, second) => this.write(base + 32 + at / 4, first, second),
      write: (at, bytes) => {
        const numbers = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
        for (let n = 0; n < numbers.length; n += 2) {
          this.write(base + 32 + at / 4 + n, numbers[n] as number, numbers[n + 1] as number);
        }
      },
      copy: (at, length) => {
        const numbers = new Int32Array(length / 4);
        for (let n = 0; n < numbers.length; n += 2) {
          const word = base + 32 + at / 4 + n;
          numbers.set(
            this.step(() => [this.get(word), this.get(word + 1)]),
            n,
          );
        }
        return new Uint8Array(numbers.buffer);
      },
    };
  }

  /** No step of its own: nobody sees it before the buffer is let out. */
  private write(word: number, first: number, second: number): void {
    const isNew = this.cursor === this.log.length && (this.made || this.cursor === 0);
    if (isNew) this.buffer.push([word, first], [word + 1, second]);
  }
}

/** One round; gives what the next one begins with, or nothing at the end. */
export type Program = (steps: Steps, local: Local) => Local | undefined;

export interface Model {
  readonly programs: readonly Program[];
  /** Words that are, wrongly, not touched by Atomics. */
  readonly plain?: readonly number[];
  /** Actors that may die between any two steps. */
  readonly mortal?: readonly number[];
  /** Whether the reader is told of a death, as by its scan of the kernel's locks. */
  readonly deathIsTold?: boolean;
  /** What is wrong in a state in which nothing can happen any more. */
  atRest(state: State): string | undefined;
}

export const READER = 0;

/** Explores every order of steps; gives the first fault, and how many states there are. */
export function explore(model: Model): { fault?: string; states: number } {
  const start: State = {
    words: openLanes(),
    bells: model.programs.map(() => false),
    actors: model.programs.map(() => ({
      log: [],
      buffer: [],
      status: 'runs',
      local: { round: 0, positions: [], output: [] },
      output: [],
    })),
  };
  const seen = new Set<string>();
  const open: State[] = [start];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const next = successors(model, state);
    const faulty = badOutput(state) ?? (next.length === 0 ? model.atRest(state) : undefined);
    if (faulty !== undefined) return { fault: faulty, states: seen.size };
    for (const candidate of next) {
      const key = JSON.stringify(candidate);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(candidate);
    }
  }
  return { states: seen.size };
}

/** Lanes as `open` leaves them: the sender of lane n is actor n + 1. */
function openLanes(): number[] {
  const words = new Array<number>(WORDS).fill(0);
  for (let lane = 0; lane < LANES; lane += 1) {
    words[lane * LANE + laneWords.openedBy] = 1;
    words[lane * LANE + laneWords.openedFor] = 1;
  }
  return words;
}

function successors(model: Model, state: State): State[] {
  return state.actors.flatMap((actor, index) => {
    const next: State[] = [];
    const mayGoOn = actor.status === 'runs' || (actor.status === 'waits' && state.bells[index] === true);
    if (mayGoOn) next.push(stepped(model, state, index));
    if (actor.buffer.length > 0) next.push(flushed(state, index));
    if (model.mortal?.includes(index) === true && mayGoOn) next.push(died(model, state, index));
    return next;
  });
}

function stepped(model: Model, state: State, index: number): State {
  const steps = new Steps(state, index, new Set(model.plain));
  const actor = state.actors[index] as Actor;
  const { words, bells } = steps;
  const become = (change: Partial<Actor>): State => {
    const next = { ...actor, log: steps.log, buffer: steps.buffer, output: steps.output, ...change };
    return { words, bells, actors: state.actors.with(index, next) };
  };
  try {
    const local = (model.programs[index] as Program)(steps, actor.local);
    return become(local === undefined ? { log: [], status: 'ended' } : { log: [], status: 'runs', local });
  } catch (error) {
    if (!(error instanceof Suspended)) throw error;
    return become({ status: error.waits ? 'waits' : 'runs' });
  }
}

function flushed(state: State, index: number): State {
  const actor = state.actors[index] as Actor;
  const words = [...state.words];
  for (const [word, value] of actor.buffer) words[word] = value;
  return { ...state, words, actors: state.actors.with(index, { ...actor, buffer: [] }) };
}

function died(model: Model, state: State, index: number): State {
  const actor = state.actors[index] as Actor;
  return {
    ...state,
    bells: model.deathIsTold === true ? state.bells.with(READER, true) : state.bells,
    actors: state.actors.with(index, { ...actor, status: 'dead' }),
  };
}

/** The reader's output: frames as they came, negative for one that came damaged. In order per sender, none twice, none damaged. */
function badOutput(state: State): string | undefined {
  const output = (state.actors[READER] as Actor).output;
  for (let lane = 0; lane < LANES; lane += 1) {
    const own = output.filter((n) => Math.floor(Math.abs(n) / 10) === lane + 1);
    const wrong = own.findIndex((n, place) => n !== (lane + 1) * 10 + place);
    if (wrong >= 0) return `received ${own.join(' ')}`;
  }
  return output.some((n) => n < 0) ? `received ${output.join(' ')}` : undefined;
}
