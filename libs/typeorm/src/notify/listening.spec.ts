import { describe, expect, it } from 'vitest';
import type { OwnPgClient } from '../database/client.js';
import { Listening } from './listening.js';

/** A connection whose statements end when the test says so. */
function slowClient(): { readonly client: OwnPgClient; readonly running: string[]; answer(): void } {
  const running: string[] = [];
  const answers: (() => void)[] = [];
  const client = {
    on: () => undefined,
    connect: async () => undefined,
    end: async () => undefined,
    query: (query: string | { values: string[] }) => {
      if (typeof query === 'string') return Promise.resolve();
      running.push(query.values[1] ?? '');
      return new Promise<void>((resolve) => answers.push(resolve));
    },
  };
  return { client: client as unknown as OwnPgClient, running, answer: () => answers.shift()?.() };
}

describe('Listening', () => {
  it('says one thing at a time, and what came meanwhile once, after it', async () => {
    const { client, running, answer } = slowClient();
    const clock = { schedule: () => ({ cancel: () => {} }) };
    const listening = new Listening(() => client, 'work', clock, { heard: () => {}, connected: () => {} });
    await listening.start();
    const first = listening.say('a');
    await Promise.all([listening.say('b'), listening.say('c')]);
    expect(running).toEqual(['a']);
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect(running).toEqual(['a', 'c']);
    answer();
    await first;
    expect(running).toEqual(['a', 'c']);
  });

  it('connects again where the connection ends just when it listens', async () => {
    const clients: (() => void)[] = [];
    const connect = (): OwnPgClient => {
      let end = (): void => {};
      const first = clients.push(() => end()) === 1;
      const client = {
        on: (event: string, listener: () => void) => void (event === 'end' && (end = listener)),
        connect: async () => undefined,
        end: async () => undefined,
        query: async () => {
          // What comes with the answer is told before who waits for the answer goes on.
          if (first) end();
        },
      };
      return client as unknown as OwnPgClient;
    };
    const pauses: (() => void)[] = [];
    const clock = { schedule: (_: number, task: () => void) => (pauses.push(task), { cancel: () => {} }) };
    let connected = 0;
    const handlers = { heard: () => {}, connected: () => void (connected += 1) };
    const listening = new Listening(connect, 'work', clock, handlers);
    await listening.start();
    expect([connected, pauses.length]).toEqual([0, 1]);
    pauses[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect([connected, clients.length]).toEqual([1, 2]);
  });
});
