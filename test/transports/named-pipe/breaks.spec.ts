import { createHash } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogLines } from '../../nest/support/log-lines.js';
import { connections, folderOfTest, numbered, numberIn, Station } from './support.js';

/** The socket of the only endpoint of cluster `test`. */
function socketIn(directory: string): string {
  const cluster = join(directory, createHash('sha256').update('test').digest('hex').slice(0, 12));
  return join(cluster, readdirSync(cluster).find((name) => name.length === 20) ?? '');
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe('a connection that breaks', () => {
  it('is made again, and every frame comes once and in order', async () => {
    const directory = folderOfTest();
    const sockets = connections();
    const two = await new Station('two').join({ directory });
    const one = await new Station('one').join({ directory });
    let broken = 0;
    two.onFrame = (frame) => {
      if (numberIn(frame) % 1_000 === 999) broken += sockets.breakAll();
    };
    const count = 10_000;
    for (let number = 0; number < count; number += 1) await one.seat.send(two.seat.self, numbered(number));
    await two.until(() => two.frames.length >= count);
    expect(two.frames.map(numberIn)).toEqual(Array.from({ length: count }, (_, number) => number));
    expect(broken).toBeGreaterThanOrEqual(10);
    expect([one.statesOf('two'), two.statesOf('one')]).toEqual([['up'], ['up']]);
  });

  it('is made again while the receiver holds the sender back', async () => {
    const directory = folderOfTest();
    const sockets = connections();
    const two = await new Station('two').join({ directory });
    const one = await new Station('one').join({ directory, sendBufferBytes: 20_000 });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    two.onFrame = () => held;
    let taken = 0;
    while (one.seat.trySend(two.seat.self, numbered(taken))) taken += 1;
    const waiting = one.seat.send(two.seat.self, numbered(taken));
    await two.until(() => two.frames.length === 1);
    expect(sockets.breakAll()).toBeGreaterThan(0);
    release();
    await waiting;
    await two.until(() => two.frames.length === taken + 1);
    expect(two.frames.map(numberIn)).toEqual(Array.from({ length: taken + 1 }, (_, number) => number));
  });
});

describe('what comes in on the socket and is no peer', () => {
  it.each([
    ['bytes of another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a length above all limits', Buffer.from([0xff, 0xff, 0xff, 0x1f, 0, 0, 0, 0])],
    ['a greeting that is no JSON', Buffer.from([2, 0, 0, 0x10, 0, 0, 0, 0, 0x7b, 0x7b])],
    ['a greeting without the token', greeting({ from: {}, to: '', token: '' })],
  ])('%s: is turned away, counted and logged, and harms nobody', async (_, bytes) => {
    const directory = folderOfTest();
    const lines = new LogLines();
    const two = await new Station('two').join({ directory }, lines);
    const intruder = await connected(socketIn(directory));
    intruder.write(bytes);
    intruder.resume();
    await once(intruder, 'close');
    expect(two.seat.statistics().corrupt).toBe(1);
    expect(lines.all.map(({ message }) => message)).toEqual([expect.stringMatching(/was closed/)]);
    const one = await new Station('one').join({ directory });
    await one.seat.send(two.seat.self, numbered(1));
    await two.until(() => two.frames.length === 1);
    expect(two.told.map(({ endpoint }) => endpoint.name)).toEqual(['one']);
  });

  it('an endpoint that knows no token of ours can not speak for another one', async () => {
    const directory = folderOfTest();
    const two = await new Station('two').join({ directory });
    const from = {
      protocol: 1,
      name: 'one',
      incarnation: 'a'.repeat(20),
      pid: 1,
      token: 'x',
      maxFrameBytes: 1,
    };
    const intruder = await connected(socketIn(directory));
    intruder.write(greeting({ from, to: two.seat.self.incarnation, token: 'guessed', confirmEvery: 1 }));
    intruder.resume();
    await once(intruder, 'close');
    expect([two.told, two.seat.peers(), two.seat.statistics().corrupt]).toEqual([[], [], 1]);
  });
});

function greeting(hello: object): Buffer {
  const body = Buffer.from(JSON.stringify(hello));
  const head = Buffer.alloc(8);
  head.writeUInt32LE(2 ** 28 + body.length);
  return Buffer.concat([head, body]);
}

describe('an endpoint that leaves', () => {
  it('is gone for the others and holds no socket, also where it can’t give its names back', async () => {
    const directory = folderOfTest();
    const two = await new Station('two').join({ directory });
    const log = new LogLines();
    const one = await new Station('one').join({ directory }, log);
    for (const name of ['books', 'others']) await one.seat.claim(name, '');
    await two.sees('one', 'up');
    const names = join(directory, createHash('sha256').update('test').digest('hex').slice(0, 12), 'n');
    const [spoilt = '', ...others] = readdirSync(names);
    rmSync(join(names, spoilt), { recursive: true });
    writeFileSync(join(names, spoilt), '');
    await one.seat.leave();
    await two.sees('one', 'lost');
    await log.seen('could not give its names back');
    expect(others.filter((name) => readdirSync(names).includes(name))).toEqual([]);
    const again = await new Station('one').join({ directory });
    expect(again.seat.peers()).toHaveLength(1);
  });
});
