import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { describe, expect, it, onTestFinished } from 'vitest';
import { segmentName } from '../../libs/transports/src/shared-memory/system/cluster-names.js';
import { seeded } from '../fault/support/random.js';
import { Remote } from './remote.js';
import { folderOfTest } from './named-pipe/support.js';

// `npm run test:fault -- --rounds 50 --seed 7` kills 50 writers and 50 readers, or the same again.
const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 1);
const SEED = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));
const FRAMES = 100_000;
/** More than are ever sent: however late a reader is stopped or killed, its writer is not done. */
const ENDLESS = 2 ** 31;
/** Signs of life are frequent, so that nobody waits long for their absence. */
const QUICK = { heartbeatMs: 50, suspectAfterBeats: 10 };
const TRANSPORTS = { 'named-pipe': namedPipe, 'shared-memory': sharedMemory };

const random = seeded(SEED);
describe.each(['named-pipe', 'shared-memory'] as const)(
  `%s with real processes (seed ${SEED}, ${ROUNDS} rounds)`,
  (transport) => {
    const said = (text: string): boolean => process.stdout.write(`${transport}: ${text}\n`);
    /** A cluster whose processes end with the test. Whoever joins another one there afterwards removes what the killed have left. */
    const clusterOfTest = () => {
      const directory = folderOfTest();
      const cluster = basename(directory);
      onTestFinished(async () => {
        const next = {
          cluster: `after ${cluster}`,
          endpoint: 'next',
          clock: systemClock,
          logger: silentLogger,
        };
        const seat = await TRANSPORTS[transport]({ directory }).join(next, { onFrame() {}, onPeer() {} });
        await seat.leave();
        expect(readdirSync(directory)).toEqual([]);
        expect(existsSync(join('/dev/shm', segmentName(cluster)))).toBe(false);
      });
      return { cluster, transport, options: { directory, ...QUICK } };
    };

    it(
      'a writer that is killed has sent a beginning, whole and in order; its next run sends everything',
      { timeout: 300_000 + ROUNDS * 20_000 },
      async () => {
        const cluster = clusterOfTest();
        for (let round = 0; round < ROUNDS; round += 1) {
          const killAfter = 1 + Math.floor(random() * FRAMES * 0.9);
          const reader = await Remote.joined({
            name: 'reader',
            ...cluster,
            reportAfter: killAfter,
          });
          const order = {
            name: 'writer',
            ...cluster,
            sends: { to: 'reader', frames: FRAMES },
          };
          const first = await Remote.joined(order);
          await reader.word('received');
          await first.process.kill('SIGKILL');
          const got = await reader.lastOf(await first.incarnation());
          expect(got.fault).toBeUndefined();
          expect(got.frames).toBeGreaterThanOrEqual(killAfter);
          const second = await Remote.joined(order);
          expect(await second.word('sent')).toEqual({ kind: 'sent', frames: FRAMES });
          await second.leave();
          const all = await reader.lastOf(await second.incarnation());
          expect(all).toMatchObject({ frames: FRAMES });
          expect(all.fault).toBeUndefined();
          await reader.leave();
          said(`writer killed after ${killAfter} frames, ${got.frames} came`);
        }
      },
    );

    it(
      'a reader that is killed is lost, and nothing for it goes to its next run',
      { timeout: 300_000 + ROUNDS * 20_000 },
      async () => {
        const cluster = clusterOfTest();
        for (let round = 0; round < ROUNDS; round += 1) {
          const killAfter = 1 + Math.floor(random() * FRAMES * 0.5);
          const order = { name: 'reader', ...cluster };
          const first = await Remote.joined({ ...order, reportAfter: killAfter });
          const sends = { to: 'reader', frames: ENDLESS };
          const writer = await Remote.joined({ name: 'writer', ...cluster, sends });
          await first.word('received');
          await first.process.kill('SIGKILL');
          const { frames, error } = await writer.word('sent');
          expect(error).toBe('PEER_LOST');
          const lost = await writer.hears('reader', 'lost');
          const second = await Remote.joined(order);
          await writer.hears('reader', 'up', lost);
          await writer.leave();
          expect(await second.lastOf(await writer.incarnation())).toMatchObject({ frames: 0 });
          await second.leave();
          said(`reader killed after ${killAfter} frames, ${frames} were taken`);
        }
      },
    );

    it('a reader that is stopped is suspect: its writer waits, its names stay its own, and all frames come when it goes on', async () => {
      const cluster = clusterOfTest();
      const reader = await Remote.joined({
        name: 'reader',
        ...cluster,
        claims: ['a', 'b'],
        reportAfter: 20_000,
      });
      const sends = { to: 'reader', frames: FRAMES };
      const writer = await Remote.joined({ name: 'writer', ...cluster, sends });
      await reader.word('received');
      process.kill(reader.process.pid, 'SIGSTOP');
      const stopped = await writer.hears('reader', 'suspect');
      const late = await Remote.joined({ name: 'late', ...cluster, claims: ['b', 'c'] });
      expect((await late.word('joined')).refused).toEqual(['b']);
      await late.hears('reader', 'suspect');
      const rival = new Remote({ name: 'reader', ...cluster });
      expect((await rival.word('refused')).code).toBe('ENDPOINT_TAKEN');
      process.kill(reader.process.pid, 'SIGCONT');
      await writer.hears('reader', 'up', stopped);
      expect(await writer.word('sent')).toEqual({ kind: 'sent', frames: FRAMES });
      await writer.leave();
      const got = await reader.lastOf(await writer.incarnation());
      expect([got.frames, got.fault]).toEqual([FRAMES, undefined]);
    });

    it('a writer that waits for a stopped reader hears of its death', async () => {
      const cluster = clusterOfTest();
      const reader = await Remote.joined({ name: 'reader', ...cluster, reportAfter: 1 });
      const sends = { to: 'reader', frames: ENDLESS };
      const writer = await Remote.joined({ name: 'writer', ...cluster, sends });
      await reader.word('received');
      process.kill(reader.process.pid, 'SIGSTOP');
      const stopped = await writer.hears('reader', 'suspect');
      await reader.process.kill('SIGKILL');
      await writer.hears('reader', 'lost', stopped);
      expect(await writer.word('sent')).toMatchObject({ error: 'PEER_LOST' });
    });

    it('names and endpoints that several want at once go to one of them, and are free when it is killed', async () => {
      const cluster = clusterOfTest();
      const claims = Array.from({ length: 30 }, (_, n) => `machine-${n}`);
      // Two of them want to be `p`.
      const many = ['p', 'q', 'r', 'p'].map((name) => new Remote({ name, ...cluster, claims }));
      const outcomes = await Promise.all(
        many.map((one) => Promise.race([one.word('joined'), one.word('refused')])),
      );
      expect(outcomes.filter(({ kind }) => kind === 'joined')).toHaveLength(3);
      const held = outcomes.flatMap((word) =>
        word.kind === 'joined' ? claims.filter((name) => !word.refused.includes(name)) : [],
      );
      expect(held.toSorted()).toEqual(claims.toSorted());
      for (const one of many) await one.process.kill('SIGKILL');
      const heir = await Remote.joined({ name: 'p', ...cluster, claims });
      expect((await heir.word('joined')).refused).toEqual([]);
    });
  },
);
