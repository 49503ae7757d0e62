import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClusterFolder, newIncarnation } from '../../../libs/transports/src/named-pipe/cluster-folder.js';
import { Listener } from '../../../libs/transports/src/named-pipe/listener.js';
import { sweep } from '../../../libs/transports/src/named-pipe/sweep.js';
import { startProcess } from '../../support/processes.js';
import { folderOfTest, Station } from './support.js';

const below = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String);

describe('the folder of a cluster of named pipes', () => {
  it('goes with the last one who leaves, and with one who was refused', async () => {
    const directory = folderOfTest();
    const [one, two] = [
      await new Station('one').join({ directory }),
      await new Station('two').join({ directory }),
    ];
    await two.seat.claim('machine', 'about');
    await one.seat.leave();
    expect(below(directory)).not.toEqual([]);
    await two.seat.leave();
    expect(below(directory)).toEqual([]);
    const other = await new Station('one').join({ directory, maxFrameBytes: 10_000 });
    const before = below(directory).toSorted();
    await expect(new Station('two').join({ directory })).rejects.toMatchObject({
      code: 'TRANSPORT_UNAVAILABLE',
    });
    expect(below(directory).toSorted()).toEqual(before);
    await other.seat.leave();
    expect(below(directory)).toEqual([]);
  });

  it('of processes that were killed goes with whoever joins next, that of the living stays', async () => {
    const directory = folderOfTest();
    const killed = await Promise.all(
      ['dead', 'own'].map(async (cluster) => {
        const member = startProcess(import.meta.url, './member.process.ts', { directory, cluster });
        expect(await member.next()).toBe('joined');
        return member;
      }),
    );
    await new Station('one').join({ directory }, undefined, 'living');
    const living = below(directory).filter((path) => path.startsWith(folderName(directory, 'living')));
    await Promise.all(killed.map((member) => member.kill('SIGKILL')));
    expect(existsSync(ClusterFolder.of(directory, 'dead').path)).toBe(true);
    const one = await new Station('one').join({ directory }, undefined, 'own');
    expect(existsSync(ClusterFolder.of(directory, 'dead').path)).toBe(false);
    expect(below(directory).filter((path) => path.startsWith(folderName(directory, 'living')))).toEqual(
      living,
    );
    // Of the dead one of its own cluster nothing is left.
    const { path } = ClusterFolder.of(directory, 'own');
    const traces = below(path).flatMap((file) => /(?<![\da-f])[\da-f]{20}(?=$|\.)/.exec(file) ?? []);
    expect(new Set(traces)).toEqual(new Set([one.seat.self.incarnation]));
  });

  it('is made again by one who opens its socket just when it goes', async () => {
    const directory = folderOfTest();
    const folder = ClusterFolder.of(directory, 'test');
    await folder.make();
    await folder.dissolve();
    const incarnation = newIncarnation();
    const listener = await Listener.open(
      folder,
      incarnation,
      () => undefined,
      () => undefined,
    );
    expect(readdirSync(folder.path)).toEqual([incarnation]);
    await listener.close();
  });

  it('keeps the socket of one who is just being born, if it listens', async () => {
    const directory = folderOfTest();
    const [own, other] = [ClusterFolder.of(directory, 'own'), ClusterFolder.of(directory, 'other')];
    await other.make();
    const unborn = createServer();
    const path = other.unbornSocketOf(newIncarnation());
    await new Promise<void>((resolve) => unborn.listen(path, resolve));
    await sweep(directory, own);
    expect(existsSync(path)).toBe(true);
    await new Promise((resolve) => unborn.close(resolve));
    writeFileSync(path, '');
    await sweep(directory, own);
    expect(existsSync(other.path)).toBe(false);
  });

  it('is left alone where it holds files that are none of ours', async () => {
    const directory = folderOfTest();
    const other = ClusterFolder.of(directory, 'other');
    await other.make();
    mkdirSync(join(directory, 'not-a-cluster'));
    writeFileSync(join(directory, '0123456789ab'), 'a file where a folder would be');
    writeFileSync(join(other.path, 'precious'), '');
    const one = await new Station('one').join({ directory });
    await one.seat.leave();
    expect(below(directory).toSorted()).toEqual(
      [
        'not-a-cluster',
        '0123456789ab',
        folderName(directory, 'other'),
        join(folderName(directory, 'other'), 'precious'),
      ].toSorted(),
    );
  });

  it('is never lost to those who join while others leave', async () => {
    const step = fc.record({ who: fc.integer({ min: 0, max: 4 }), turns: fc.integer({ min: 0, max: 3 }) });
    const play = async (
      steps: readonly { readonly who: number; readonly turns: number }[],
    ): Promise<void> => {
      const directory = folderOfTest();
      const present = new Map<number, Promise<Station | undefined>>();
      for (const { who, turns } of steps) {
        const before = present.get(who) ?? Promise.resolve(undefined);
        const after = before.then(async (station) => {
          // Clusters of their own as well: each join looks through the folders of the others.
          if (station === undefined)
            return new Station(`s${who}`).join({ directory }, undefined, who < 3 ? 'shared' : `own-${who}`);
          await station.seat.leave();
          return undefined;
        });
        after.catch(() => undefined);
        present.set(who, after);
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      const stations = (await Promise.all(present.values())).filter((station) => station !== undefined);
      const shared = stations.filter(({ name }) => name < 's3');
      await Promise.all(
        shared.flatMap((one) =>
          shared.filter((other) => other !== one).map((other) => one.sees(other.name, 'up')),
        ),
      );
      await Promise.all(stations.map(({ seat }) => seat.leave()));
      expect(below(directory)).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 16 }), play), { numRuns: 40 });
  });
});

const folderName = (directory: string, cluster: string): string =>
  ClusterFolder.of(directory, cluster).path.slice(directory.length + 1);
