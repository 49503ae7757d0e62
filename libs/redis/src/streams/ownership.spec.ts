import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../connection/connection.js';
import type { Call } from '../connection/script.js';
import { ClusterKeys } from './cluster-keys.js';
import type { Members } from './members.js';
import { Ownership } from './ownership.js';
import type { Pipe } from './pipe.js';
import type { Reader, Source } from './reader.js';
import { giveScript, openScript, takeScript } from './scripts.js';
import { Turnstile } from './turnstile.js';

/** An endpoint alone, of a cluster of two partitions that nobody has; its server answers when the test says so what is asked of a partition. */
function ownershipOf() {
  const keys = new ClusterKeys('test', 'shop', 2);
  const asked: { readonly what: string; readonly answer: (value: unknown) => void }[] = [];
  const owners = [
    ['', '0'],
    ['', '0'],
  ];
  const gained: number[] = [];
  const lost: string[] = [];
  let looking = Promise.resolve();
  const run = ({ script, keys: [key] }: Call): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const partition = key === keys.partition(0).owner ? 0 : 1;
      const verb = { [takeScript.sha]: 'take', [openScript.sha]: 'open', [giveScript.sha]: 'give' }[
        script.sha
      ];
      const what = `${verb ?? 'other'} ${partition}`;
      asked.push({ what, answer: (value) => (value instanceof Error ? reject(value) : resolve(value)) });
    });
  let looks = 0;
  const connection = {
    run,
    runAll: async (calls: readonly Call[]) => {
      looks += 1;
      await looking;
      return calls.map((_, n) => owners[n]);
    },
  };
  const self = { name: 'self', incarnation: 'self' };
  const members = {
    self,
    serves: ['self'] as readonly string[],
    find: () => undefined,
    hint: () => undefined,
  };
  const reads: Source[] = [];
  const reader = { add: (source: Source) => reads.push(source), remove: () => undefined };
  const ownership = new Ownership(
    connection as unknown as Connection,
    keys,
    members as unknown as Members,
    reader as unknown as Reader,
    {
      partitions: 2,
      handOverMs: 1_000,
      feeds: {
        receiver: {
          onGained: ({ partition }) => void gained.push(partition),
          onFrame: () => undefined,
          onLost: ({ partition }, loss) => void lost.push(`${partition} ${loss}`),
        },
        pipe: { add: () => undefined } as unknown as Pipe,
        clock: systemClock,
        logger: silentLogger,
        window: 10,
        maxAttempts: 3,
        retryMs: 10,
        turnstile: new Turnstile(),
        wake: () => undefined,
        counted: () => undefined,
        valid: () => true,
      },
    },
  );
  return {
    ownership,
    asked,
    gained,
    lost,
    reads,
    owners,
    looks: () => looks,
    /** What is asked about all partitions from now on is answered when the test says so, by what is true then. */
    holdLooks(): () => void {
      let letGo = (): void => undefined;
      looking = new Promise((resolve) => (letGo = resolve));
      return () => letGo();
    },
    /** It takes no part any more. */
    retires: () => void (members.serves = []),
    /** Answers the oldest question of that kind. */
    async answer(what: string, value: unknown): Promise<void> {
      const at = asked.findIndex((each) => each.what === what);
      const [question] = asked.splice(at, 1);
      if (at < 0 || question === undefined) throw new Error(`Nobody has asked: ${what}.`);
      question.answer(value);
      await settled();
    },
  };
}

/** What is ready to go on has gone on, so many steps of it. */
async function settled(steps = 30): Promise<void> {
  for (let n = 0; n < steps; n += 1) await Promise.resolve();
}

describe('the partitions of an endpoint', () => {
  it('are looked at again after a look that failed in part, without what that has still under way', async () => {
    const { ownership, answer, asked, reads, owners } = ownershipOf();
    const failed = ownership.balance().catch((error: Error) => error.message);
    await settled();
    await answer('take 0', [1, 0]);
    await answer('take 1', [1, 0]);
    await answer('open 0', new Error('away'));
    expect(await failed).toBe('away');
    // 1 is still being opened; what was taken and could not be opened is taken anew.
    owners.splice(0, 2, ['self', '1'], ['self', '1']);
    const again = ownership.balance();
    await settled();
    expect(asked.map(({ what }) => what)).toEqual(['open 1', 'take 0']);
    await answer('take 0', [2, 1]);
    await answer('open 0', []);
    await again;
    await answer('open 1', []);
    expect(ownership.owned()).toEqual([
      { partition: 1, epoch: 1 },
      { partition: 0, epoch: 2 },
    ]);
    expect(reads).toHaveLength(2);
  });

  it('are given back where they come after it has left', async () => {
    const { ownership, answer, asked } = ownershipOf();
    const failed = ownership.balance().catch((error: Error) => error.message);
    await settled();
    await answer('take 0', new Error('away'));
    expect(await failed).toBe('away');
    const left = ownership.leave();
    await settled();
    await answer('take 1', [1, 0]);
    expect(asked.map(({ what }) => what)).toEqual(['give 1']);
    await answer('give 1', 1);
    await left;
    expect(ownership.owned()).toEqual([]);
  });

  it('are handed over by one that leaves, also where a look that is still under way finds that others have them', async () => {
    const { ownership, answer, lost, owners, holdLooks } = ownershipOf();
    const taken = ownership.balance();
    await settled();
    for (const what of ['take 0', 'take 1']) await answer(what, [1, 0]);
    for (const what of ['open 0', 'open 1']) await answer(what, []);
    await taken;
    const letGo = holdLooks();
    const looked = ownership.balance();
    const left = ownership.leave();
    owners.splice(0, 2, ['other', '2'], ['other', '2']);
    letGo();
    await settled();
    for (const what of ['give 0', 'give 1']) await answer(what, 0);
    await Promise.all([looked, left]);
    expect(lost).toEqual(['0 handed-over', '1 handed-over']);
  });

  it("are nobody's gain where they are lost while they are opened", async () => {
    const { ownership, answer, gained, reads } = ownershipOf();
    const looked = ownership.balance();
    await settled();
    await answer('take 0', [1, 0]);
    await answer('take 1', [1, 0]);
    await answer('open 0', []);
    ownership.loseAll();
    await answer('open 1', []);
    await looked;
    expect(gained).toEqual([0]);
    expect(reads).toHaveLength(1);
    expect(ownership.owned()).toEqual([]);
  });

  it.each(Array.from({ length: 20 }, (_, n) => n))(
    'are looked at after each wish, also one that comes %i steps after a look has begun',
    async (after) => {
      const { ownership, retires, looks } = ownershipOf();
      retires();
      const first = ownership.balance();
      if (after > 0) await settled(after);
      const before = looks();
      const wished = ownership.balance();
      await settled();
      expect(looks()).toBeGreaterThan(before);
      await Promise.all([first, wished]);
    },
  );
});
