import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock } from '@nestjs-orchestrator/core/ports';
import { expect, it, onTestFinished } from 'vitest';
import { startProcess } from '../../support/processes.js';
import { folderOfTest, numbered, numberIn, Station } from './support.js';

const HOUR_MS = 3_600_000;

/** The machine stands still as soon as somebody waits for long: that timer is late, and runs before anything else that has come meanwhile. */
function standingStillOnce(): Clock {
  let stands = true;
  return {
    ...systemClock,
    schedule(delayMs, task) {
      if (!stands || delayMs < HOUR_MS / 10) return systemClock.schedule(delayMs, task);
      stands = false;
      const turn = setImmediate(task);
      return { cancel: () => clearImmediate(turn) };
    },
  };
}

it('what was taken comes in before its sender is gone, also where the machine stands still while that leaves', async () => {
  const directory = folderOfTest();
  const two = await new Station('two').join({ directory });
  const one = await new Station('one', standingStillOnce()).join({ directory, leaveMs: HOUR_MS });
  let taken = 0;
  while (one.seat.trySend(two.seat.self, numbered(taken))) taken += 1;
  await one.seat.leave();
  await two.sees('one', 'lost');
  expect(two.frames.map(numberIn)).toEqual(Array.from({ length: taken }, (_, number) => number));
});

it('a process runs until it has left, also where time alone ends what it waits for', async () => {
  const directory = folderOfTest();
  const other = startProcess(import.meta.url, './member.process.ts', { directory, cluster: 'test' });
  await other.next();
  const leaver = startProcess(import.meta.url, './leaver.process.ts', { directory, leaveMs: 100 });
  const incarnation = await leaver.next<string>();
  // In the place of the other one, which is killed, somebody turns away whoever connects: that is tried again with each heartbeat.
  const cluster = join(directory, createHash('sha256').update('test').digest('hex').slice(0, 12));
  const stranger = createServer((socket) => socket.destroy()).listen(join(cluster, 'stranger'));
  onTestFinished(() => void stranger.close());
  await once(stranger, 'listening');
  renameSync(join(cluster, 'stranger'), join(cluster, incarnation));
  const turnedAway = once(stranger, 'connection');
  await other.kill('SIGKILL');
  await turnedAway;
  leaver.send('leave');
  expect(await leaver.ended).toBe(0);
});
