/**
 * Preloaded into every process of a test run: what comes over sockets is late now and then, and the process stands still at odd moments. It is what a
 * busy machine does, only more often: the order within a socket and among timers stays.
 *
 * UNEVEN_SEED   which moments; the same seed is another one in each process
 * UNEVEN_SCALE  how long, as a factor (1)
 */
import { Socket } from 'node:net';

const seed = Number(process.env.UNEVEN_SEED ?? 1);
const scale = Number(process.env.UNEVEN_SCALE ?? 1);
const later = globalThis.setTimeout;
const cell = new Int32Array(new SharedArrayBuffer(4));

/** mulberry32, after Tommy Ettinger. */
let drawn = (seed * 0x9e3779b1 + process.pid * 0x85ebca6b) | 0;
function draw() {
  drawn = (drawn + 0x6d2b79f5) | 0;
  let mixed = Math.imul(drawn ^ (drawn >>> 15), drawn | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}
const between = (least, most) => (least + draw() * (most - least)) * scale;

function standStill() {
  const chance = draw();
  if (chance < 0.985) return;
  Atomics.wait(cell, 0, 0, chance < 0.998 ? between(1, 25) : between(50, 400));
}

/** A socket is quick for a while, then slow: what is slow for long loses whole races. */
const moods = new WeakMap();
function moodOf(socket) {
  const now = performance.now();
  let mood = moods.get(socket);
  if (mood === undefined || mood.until < now) {
    const chance = draw();
    const slowest = chance < 0.5 ? 0 : chance < 0.8 ? 10 : 80;
    mood = { slowest, until: now + between(10, 400) };
    moods.set(socket, mood);
  }
  return mood;
}

function lateness(socket) {
  const { slowest } = moodOf(socket);
  return slowest === 0 ? 0 : between(0, slowest);
}

const waiting = new WeakMap();
const push = Reflect.get(Socket.prototype, 'push');
const write = Reflect.get(Socket.prototype, '_write');
const writev = Reflect.get(Socket.prototype, '_writev');

function handOver(socket, chunk, encoding) {
  if (socket.destroyed) return false;
  const more = push.call(socket, chunk, encoding);
  if (chunk === null) socket.read(0);
  return more;
}

Socket.prototype.push = function (chunk, encoding) {
  standStill();
  const line = waiting.get(this);
  const ms = lateness(this);
  if (line === undefined && ms === 0) return push.call(this, chunk, encoding);
  if (line !== undefined) {
    line.push([chunk, encoding]);
    return true;
  }
  const held = [[chunk, encoding]];
  waiting.set(this, held);
  const deliver = () => {
    waiting.delete(this);
    for (const entry of held) handOver(this, ...entry);
  };
  later(deliver, ms);
  return true;
};

Socket.prototype._write = function (...rest) {
  const result = write.apply(this, rest);
  standStill();
  return result;
};

Socket.prototype._writev = function (...rest) {
  const result = writev.apply(this, rest);
  standStill();
  return result;
};

function stumble() {
  standStill();
  later(stumble, between(0, 4)).unref();
}
later(stumble, 1).unref();
