import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { stoppedWithTheRun } from '../ending.js';
import { summed, type Trips } from './contest.js';

/** What a round trip takes that carries a byte, or nothing: no transport of events can be faster here. */
export interface Floor {
  readonly name: string;
  readonly busy: Trips;
  readonly asleep: Trips;
}

const ECHO = `
import { createServer } from 'node:net';
createServer((socket) => socket.on('data', (bytes) => socket.write(bytes))).listen(process.argv[1], () => process.send('ready'));
process.on('disconnect', () => process.exit());
// As \`endsWithTheRun\` has it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
`;

/** Answers each number by the same, asleep on a futex in between. */
const WAITER = `
const { workerData, parentPort } = require('node:worker_threads');
const words = new Int32Array(workerData);
parentPort.postMessage('ready');
for (let seen = 0; seen >= 0; ) {
  Atomics.wait(words, 0, seen);
  seen = Atomics.load(words, 0);
  Atomics.store(words, 1, seen);
  Atomics.notify(words, 1);
}
`;

/** The floors of this machine: a byte over a unix socket between two event loops, and a futex between two threads that have none. */
export async function* floors(
  busyTrips: number,
  asleepTrips: number,
  pauseMs: number,
): AsyncGenerator<Floor> {
  yield await measured('bare byte over a unix socket', overSocket, busyTrips, asleepTrips, pauseMs);
  yield await measured('futex wake between two threads', overFutex, busyTrips, asleepTrips, pauseMs);
}

interface Bounce {
  readonly trip: () => Promise<void> | undefined;
  readonly close: () => Promise<void>;
}

async function measured(
  name: string,
  open: () => Promise<Bounce>,
  busyTrips: number,
  asleepTrips: number,
  pauseMs: number,
): Promise<Floor> {
  const { trip, close } = await open();
  const end = stoppedWithTheRun(close);
  try {
    await trips(trip, busyTrips, 0);
    return {
      name,
      busy: await trips(trip, busyTrips, 0),
      asleep: await trips(trip, asleepTrips, pauseMs),
    };
  } finally {
    await end();
  }
}

async function trips(trip: Bounce['trip'], count: number, pauseMs: number): Promise<Trips> {
  const times: number[] = [];
  for (let at = 0; at < count; at += 1) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const started = performance.now();
    const under = trip();
    if (under !== undefined) await under;
    times.push((performance.now() - started) * 1_000);
  }
  return summed(times);
}

async function overSocket(): Promise<Bounce> {
  const folder = mkdtempSync(join(tmpdir(), 'orch-b-'));
  const path = join(folder, 'echo');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', ECHO, path], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  await once(child, 'message');
  const socket: Socket = connect(path);
  await once(socket, 'connect');
  const byte = Uint8Array.of(1);
  return {
    trip: () =>
      new Promise((resolve) => {
        socket.once('data', () => resolve());
        socket.write(byte);
      }),
    close: async () => {
      socket.destroy();
      if (child.connected) child.disconnect();
      await exit;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function overFutex(): Promise<Bounce> {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(WAITER, { eval: true, workerData: words.buffer });
  await once(worker, 'message');
  let number = 0;
  return {
    trip: () => {
      number += 1;
      Atomics.store(words, 0, number);
      Atomics.notify(words, 0);
      Atomics.wait(words, 1, number - 1);
      return undefined;
    },
    close: async () => {
      Atomics.store(words, 0, -1);
      Atomics.notify(words, 0);
      await once(worker, 'exit');
    },
  };
}
