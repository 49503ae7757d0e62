import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OrchestratorError } from '@nestjs-orchestrator/core';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClusterFiles } from '../../../libs/transports/src/shared-memory/system/cluster-files.js';
import { clusterFolder } from '../../../libs/transports/src/shared-memory/system/cluster-names.js';
import { loadPosix } from '../../../libs/transports/src/shared-memory/system/posix.js';
import { clusterOfTest, Member, type TestCluster } from './member.js';

const folderOf = ({ name, options }: TestCluster): string => clusterFolder(options.directory, name);

async function filesOf(cluster: TestCluster): Promise<ClusterFiles> {
  const files = new ClusterFiles(await loadPosix(), folderOf(cluster));
  onTestFinished(() => files.close());
  return files;
}

describe('the folder of a cluster in shared memory', () => {
  it('goes with the last one, and those of the dead with whoever joins next', async () => {
    const cluster = clusterOfTest();
    const [dead, halfway] = [clusterOfTest(), clusterOfTest()].map((each) => ({
      ...each,
      options: cluster.options,
    })) as [TestCluster, TestCluster];
    (await Member.join(dead, 'one')).seat.abandon();
    // What is left where the one that took a folder along was killed in the middle of it.
    mkdirSync(folderOf(halfway), { recursive: true, mode: 0o700 });
    const one = await Member.join(cluster, 'one');
    expect([dead, halfway, cluster].map((each) => existsSync(folderOf(each)))).toEqual([false, false, true]);
    await one.seat.leave();
    expect(readdirSync(cluster.options.directory)).toEqual([]);
  });

  it('stays where somebody else is in it, or files that are none of ours', async () => {
    const cluster = clusterOfTest();
    const [one, two] = [await Member.join(cluster, 'one'), await Member.join(cluster, 'two')];
    await one.seat.leave();
    expect(existsSync(folderOf(cluster))).toBe(true);
    mkdirSync(join(folderOf(cluster), 'foreign'));
    await two.seat.leave();
    expect(readdirSync(folderOf(cluster))).toEqual(['foreign']);
  });

  it('is made anew by one who had opened the lock that the last one took along: no two have the lock', async () => {
    const cluster = clusterOfTest();
    const last = await Member.join(cluster, 'last');
    const late = await filesOf(cluster);
    const before = late.identity;
    await last.seat.leave();
    expect(existsSync(folderOf(cluster))).toBe(false);
    const next = await filesOf(cluster);
    const sawAnother = await late.exclusively(() => {
      let ran = false;
      next.tryExclusively(() => (ran = true));
      return ran;
    });
    expect(sawAnother).toBe(false);
    expect(late.identity).toEqual(next.identity);
    expect(late.identity).not.toEqual(before);
  });

  it('is never lost to those who join while others leave', async () => {
    const step = fc.record({ who: fc.integer({ min: 0, max: 4 }), turns: fc.integer({ min: 0, max: 3 }) });
    const play = async (
      steps: readonly { readonly who: number; readonly turns: number }[],
    ): Promise<void> => {
      const cluster = clusterOfTest();
      // Each joins and leaves by turns, and all of them at the same time.
      const present = new Map<number, Promise<Member | undefined>>();
      for (const { who, turns } of steps) {
        const before = present.get(who) ?? Promise.resolve(undefined);
        const after = before.then(async (member) => {
          if (member === undefined) return Member.join(cluster, `m${who}`);
          await member.seat.leave();
          return undefined;
        });
        after.catch(() => undefined);
        present.set(who, after);
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      const members = (await Promise.all(present.values())).filter((member) => member !== undefined);
      const greetings = members.flatMap((one) => members.map((other) => one.say(other, 'hello')));
      expect(greetings).not.toContain(false);
      await Promise.all(members.map(({ seat }) => seat.leave()));
      expect(readdirSync(cluster.options.directory)).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 16 }), play), { numRuns: 40 });
  });

  it('is not kept by one who was refused', async () => {
    const cluster = clusterOfTest({ laneBytes: 8_192 });
    const full = { platform: 'linux', importKoffi: () => Promise.reject(new Error('none')) };
    await expect(Member.join(cluster, 'one', { sources: full })).rejects.toBeInstanceOf(OrchestratorError);
    expect(readdirSync(cluster.options.directory)).toEqual([]);
  });
});
