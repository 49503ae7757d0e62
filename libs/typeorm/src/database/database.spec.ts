import { EventEmitter } from 'node:events';
import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { DataSource } from 'typeorm';
import { expect, it, vi } from 'vitest';
import { Database } from './database.js';

/** A DataSource whose driver lends one client. */
function lending(client: EventEmitter, release: (error?: unknown) => void): Database {
  const driver = { obtainMasterConnection: async () => [client, release] };
  return new Database({ options: { type: 'postgres' }, driver } as unknown as DataSource, 'orchestrator');
}

it('a connection that breaks while it is lent does not end the process, and is not given back', async () => {
  const client = new EventEmitter();
  const release = vi.fn<(error?: unknown) => void>();
  const broken = new Error('read ECONNRESET');
  await lending(client, release).withClient(async () => client.emit('error', broken));
  expect(release).toHaveBeenCalledExactlyOnceWith(broken);
  expect(client.listenerCount('error')).toBe(0);
});

it('a connection whose server said that it shuts down is not given back', async () => {
  const release = vi.fn<(error?: unknown) => void>();
  const shutdown = Object.assign(new Error('terminating connection'), { code: '57P01' });
  const work = lending(new EventEmitter(), release).withClient(() => Promise.reject(shutdown));
  await expect(work).rejects.toMatchObject({ name: 'StoreUnavailableError', cause: shutdown });
  expect(release).toHaveBeenCalledExactlyOnceWith(shutdown);
});

it('a statement that is refused leaves the connection in the pool', async () => {
  const release = vi.fn<(error?: unknown) => void>();
  const refused = Object.assign(new Error('invalid byte sequence'), { code: '22021' });
  const work = lending(new EventEmitter(), release).withClient(() => Promise.reject(refused));
  await expect(work).rejects.toBe(refused);
  expect(release).toHaveBeenCalledExactlyOnceWith(undefined);
});

it('a pool that has no connection to lend is unavailable', async () => {
  const driver = { obtainMasterConnection: () => Promise.reject(new Error('Driver not Connected')) };
  const source = { options: { type: 'postgres' }, driver } as unknown as DataSource;
  const work = new Database(source, 'orchestrator').withClient(async () => 1);
  await expect(work).rejects.toBeInstanceOf(StoreUnavailableError);
});

it('a connection that breaks before anybody has it does not end the process, however many stores use its pool', () => {
  const master = new EventEmitter();
  const source = { options: { type: 'postgres' }, driver: { master } } as unknown as DataSource;
  for (const schema of ['one', 'other']) new Database(source, schema).guardNewConnections();
  const client = new EventEmitter();
  master.emit('connect', client);
  expect(client.emit('error', new Error('terminating connection'))).toBe(true);
  expect(client.listenerCount('error')).toBe(1);
});
