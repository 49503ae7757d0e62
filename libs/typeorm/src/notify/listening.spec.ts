import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import type { OwnPgClient } from '../database/client.js';
import { Listening } from './listening.js';

class FakeClient extends EventEmitter {
  readonly queries: unknown[] = [];
  readonly end = vi.fn<() => Promise<void>>(async () => undefined);

  constructor(private readonly reachable: boolean) {
    super();
  }

  async connect(): Promise<void> {
    if (!this.reachable) throw new Error('ECONNREFUSED');
  }

  async query(query: unknown): Promise<unknown> {
    this.queries.push(query);
    return { rows: [], rowCount: 0 };
  }
}

/** A channel whose server is reachable for as long as `reachable` says, and a clock that the test moves. */
function scene() {
  const clients: FakeClient[] = [];
  const pauses: number[] = [];
  let next: (() => void) | undefined;
  const state = { reachable: true };
  const handlers = { heard: vi.fn<(payload: string) => void>(), connected: vi.fn<() => void>() };
  const connect = (): OwnPgClient => {
    const client = new FakeClient(state.reachable);
    clients.push(client);
    return client as unknown as OwnPgClient;
  };
  const schedule = (delayMs: number, task: () => void) => {
    pauses.push(delayMs);
    next = task;
    return { cancel: () => void (next = undefined) };
  };
  const listening = new Listening(connect, 'work', { schedule }, handlers);
  const elapse = async (): Promise<void> => {
    const task = next;
    next = undefined;
    task?.();
    // Everything that the attempt awaits is a microtask here.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clients, pauses, state, handlers, listening, elapse, waits: () => next !== undefined };
}

it('hears what is said on its channel', async () => {
  const { listening, clients, handlers } = scene();
  await listening.start();
  expect(clients[0]?.queries).toEqual(['LISTEN "work"']);
  clients[0]?.emit('notification', { channel: 'work', payload: 'x' });
  expect(handlers.heard).toHaveBeenCalledExactlyOnceWith('x');
  expect(handlers.connected).toHaveBeenCalledTimes(1);
});

it('connects again after ever longer pauses, and then says so', async () => {
  const { listening, clients, pauses, state, handlers, elapse } = scene();
  await listening.start();
  state.reachable = false;
  clients[0]?.emit('error', new Error('Connection terminated'));
  clients[0]?.emit('end');
  expect(pauses).toEqual([100]);
  await elapse();
  await elapse();
  expect(pauses).toEqual([100, 200, 400]);
  state.reachable = true;
  await elapse();
  expect(handlers.connected).toHaveBeenCalledTimes(2);
  clients.at(-1)?.emit('error', new Error('again'));
  expect(pauses).toEqual([100, 200, 400, 100]);
});

it('a start without a server does not fail; it goes on trying', async () => {
  const { listening, state, pauses, clients } = scene();
  state.reachable = false;
  await listening.start();
  expect(pauses).toEqual([100]);
  expect(clients[0]?.end).toHaveBeenCalledTimes(1);
});

it('does nothing any more once it was stopped', async () => {
  const { listening, clients, state, waits } = scene();
  await listening.start();
  await listening.stop();
  clients[0]?.emit('end');
  expect(clients[0]?.end).toHaveBeenCalledTimes(1);
  expect(waits()).toBe(false);
  state.reachable = false;
  await listening.start();
  expect(waits()).toBe(true);
  await listening.stop();
  expect(waits()).toBe(false);
});
