import type { Cancellable, GivenBack, GivenUp, PartitionedFrame } from '@nestjs-orchestrator/core/ports';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it } from 'vitest';
import { ClusterKeys } from './cluster-keys.js';
import { PartitionFeed } from './partition-feed.js';
import type { PartitionScripts } from './partition-scripts.js';
import type { Caller, Pipe } from './pipe.js';
import type { ReadFrame } from './packing.js';
import { Turnstile } from './turnstile.js';

const RETRY_MS = 100;

/** What the receiver was handed, and how it ends. */
interface Handed {
  readonly text: string;
  readonly attempts: number;
  readonly done: (back?: GivenBack | GivenUp) => void;
  readonly fail: () => void;
}

/** A feed whose time, lease, server and receiver are the test's. */
function feedOf(known: readonly (readonly [id: string, count: number | 'done'])[] = []) {
  const handed: Handed[] = [];
  const timers = new Set<{ readonly delayMs: number; readonly run: () => void }>();
  const server = { isAway: false, buried: [] as string[], counted: [] as string[], news: 0 };
  const letters: { readonly id: string; readonly attempts: number; readonly why: GivenUp }[] = [];
  const lease = { isValid: true };
  const schedule = (delayMs: number, run: () => void): Cancellable => {
    const timer = { delayMs, run };
    timers.add(timer);
    return { cancel: () => void timers.delete(timer) };
  };
  const scripts = {
    open: async () => known,
    count: async (id: string) => {
      server.counted.push(id);
      return Number(known.find(([each]) => each === id)?.[1] ?? 0) + 1;
    },
    bury: async ({ id }: { readonly id: string }) => {
      if (server.isAway) throw new Error('away');
      server.buried.push(id);
      return true;
    },
    pause: async () => undefined,
  };
  const keys = new ClusterKeys('test', 'shop', 1).partition(0);
  const feed = new PartitionFeed({ partition: 0, epoch: 1 }, keys, scripts as unknown as PartitionScripts, {
    receiver: {
      onGained: () => undefined,
      onLost: () => undefined,
      onLetter: (_owned, { id, attempts }, why) => void letters.push({ id, attempts, why }),
      onFrame: (_owned, { bytes, attempts }: PartitionedFrame) =>
        new Promise<void | GivenBack | GivenUp>((done, reject) => {
          const text = Buffer.from(bytes).toString();
          handed.push({ text, attempts, done, fail: () => reject(new Error('not now')) });
        }),
    },
    pipe: { add: (_caller: Caller) => void (server.news += 1) } as unknown as Pipe,
    clock: { ...systemClock, schedule },
    logger: silentLogger,
    window: 1_024,
    maxAttempts: 3,
    retryMs: RETRY_MS,
    turnstile: new Turnstile(),
    wake: () => undefined,
    counted: () => undefined,
    valid: () => lease.isValid,
    fenced: () => undefined,
  });
  let entries = 0;
  return {
    feed,
    server,
    letters,
    lease,
    /** Texts that were handed over since it was last asked. */
    handed: () => handed.splice(0),
    texts: () => handed.splice(0).map(({ text }) => text),
    /** An entry of the stream comes in. */
    comes(name: string, ...texts: readonly string[]): void {
      entries += 1;
      const frames: ReadFrame[] = texts.map((text) => ({ name, bytes: Buffer.from(text) }));
      feed.take([{ id: `${entries}-0`, frames }]);
    },
    /** Everything that is scheduled is due. */
    async later(): Promise<void> {
      for (const timer of [...timers]) {
        timers.delete(timer);
        timer.run();
      }
      await settled();
    },
    waits: () => [...timers].map(({ delayMs }) => delayMs),
  };
}

/** What is ready to go on has gone on. */
async function settled(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
}

describe('the frames of one name', () => {
  it('wait behind one that failed, also those that come in meanwhile; other names don’t', async () => {
    const { comes, handed, texts, later } = feedOf();
    comes('a', '1');
    handed()[0]?.fail();
    await settled();
    comes('a', '2');
    comes('b', 'other');
    comes('a', '3');
    expect(texts()).toEqual(['other']);
    await later();
    expect(texts()).toEqual(['1', '2', '3']);
  });

  it('wait behind one that was given back', async () => {
    const { comes, handed, texts, later, waits } = feedOf();
    comes('a', '1');
    handed()[0]?.done({ retryInMs: 7 });
    await settled();
    comes('a', '2');
    expect([texts(), waits()]).toEqual([[], [7]]);
    await later();
    expect(texts()).toEqual(['1', '2']);
  });

  it('come again in the order of the stream, in whatever order they failed', async () => {
    const { comes, handed, later } = feedOf();
    comes('a', '1', '2', '3', '4');
    const [one, two, three, four] = handed();
    for (const each of [three, one, four, two]) {
      each?.fail();
      await settled();
    }
    await later();
    expect(handed().map(({ text, attempts }) => `${text} ${attempts}`)).toEqual(['1 2', '2 2', '3 2', '4 2']);
  });

  it('come again in the order of the stream where what came in meanwhile waits already', async () => {
    const { comes, handed, texts, later } = feedOf();
    comes('a', '1', '2');
    const [one, two] = handed();
    two?.fail();
    await settled();
    comes('a', '3');
    one?.fail();
    await settled();
    await later();
    expect(texts()).toEqual(['1', '2', '3']);
  });

  it('are not handed over again before those that are under way have ended', async () => {
    const { comes, handed, texts, later } = feedOf();
    comes('a', '1', '2');
    const [one, two] = handed();
    one?.fail();
    await settled();
    await later();
    expect(texts()).toEqual([]);
    two?.done();
    await settled();
    expect(texts()).toEqual(['1']);
  });
});

describe('while the lease is in doubt', () => {
  it('nothing is handed over, and everything in order when it is good again', async () => {
    const { comes, texts, lease, later, feed } = feedOf();
    lease.isValid = false;
    comes('a', '1');
    await later();
    comes('a', '2');
    expect(texts()).toEqual([]);
    lease.isValid = true;
    // Not before it: the name waits already.
    comes('a', '3');
    expect(texts()).toEqual([]);
    feed.goOn();
    expect(texts()).toEqual(['1', '2', '3']);
  });

  it('what failed does not come again', async () => {
    const { comes, handed, texts, lease, later } = feedOf();
    comes('a', '1');
    handed()[0]?.fail();
    await settled();
    lease.isValid = false;
    await later();
    expect(texts()).toEqual([]);
    lease.isValid = true;
    await later();
    expect(texts()).toEqual(['1']);
  });

  it('a name of which something is under way goes on when that has ended and the lease is good', async () => {
    const { comes, handed, texts, lease, later } = feedOf();
    comes('a', '1');
    const [one] = handed();
    lease.isValid = false;
    comes('a', '2');
    one?.done();
    await settled();
    expect(texts()).toEqual([]);
    lease.isValid = true;
    await later();
    expect(texts()).toEqual(['2']);
  });
});

describe('a frame', () => {
  it('becomes a dead letter with its last attempt, and those behind it go on', async () => {
    const { comes, handed, texts, later, server, letters } = feedOf();
    comes('a', 'bad');
    for (let attempt = 1; attempt < 3; attempt += 1) {
      handed()[0]?.fail();
      await settled();
      await later();
    }
    comes('a', 'behind');
    const [bad, behind] = handed();
    expect([bad?.text, bad?.attempts, behind?.text, server.buried]).toEqual(['bad', 3, 'behind', []]);
    bad?.fail();
    behind?.done();
    await settled();
    expect(server.buried).toEqual(['1-0.0']);
    expect(letters).toEqual([
      { id: '1-0.0', attempts: 3, why: { deadLetter: 'not now', cause: new Error('not now') } },
    ]);
    comes('a', 'next');
    expect(texts()).toEqual(['next']);
  });

  it('that is given up is told when the server has the letter, once', async () => {
    const { comes, handed, later, server, letters } = feedOf();
    const why: GivenUp = { deadLetter: 'never', cause: new Error('never') };
    server.isAway = true;
    comes('a', 'bad');
    handed()[0]?.done(why);
    await settled();
    expect(letters).toEqual([]);
    server.isAway = false;
    await later();
    handed()[0]?.done(why);
    await settled();
    expect(letters).toEqual([{ id: '1-0.0', attempts: 1, why }]);
  });

  it('that has ended as many processes as it may is a letter when the server is there, and those behind it go on', async () => {
    const { comes, texts, feed, server, letters } = feedOf([['1-0.0', 6]]);
    await feed.open(true);
    server.isAway = true;
    comes('a', 'poison');
    comes('b', 'behind');
    await settled();
    expect([server.buried, texts()]).toEqual([[], []]);
    server.isAway = false;
    await settled();
    expect(server.buried).toEqual(['1-0.0']);
    expect(letters).toMatchObject([{ why: { deadLetter: expect.stringContaining('6 times') as string } }]);
    expect(texts()).toEqual(['behind']);
  });

  it('that may have ended two processes is counted and runs alone; those behind it wait', async () => {
    const { comes, handed, texts, feed, server } = feedOf([['1-0.0', 2]]);
    await feed.open(true);
    comes('a', 'suspect');
    comes('b', 'behind');
    await settled();
    expect(server.counted).toEqual(['1-0.0']);
    const [suspect, ...others] = handed();
    expect([suspect?.text, suspect?.attempts, others]).toEqual(['suspect', 3, []]);
    suspect?.done();
    await settled();
    expect(texts()).toEqual(['behind']);
  });

  it('is handed over behind an entry that holds none, which is a letter when the server is there', async () => {
    const { feed, texts, comes, server } = feedOf();
    server.isAway = true;
    feed.take([{ id: '0-7', frames: [], unreadable: Buffer.from('foreign') }]);
    comes('a', '1');
    expect([texts(), server.buried]).toEqual([['1'], []]);
    server.isAway = false;
    await settled();
    expect(server.buried).toEqual(['0-7.0']);
  });

  it('that was done under the owner before is not handed over', async () => {
    const { comes, texts, feed } = feedOf([['1-0.1', 'done']]);
    await feed.open(true);
    comes('a', '1', '2', '3');
    expect(texts()).toEqual(['1', '3']);
  });
});
