import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { isEmbeddedPostgresError, startEmbeddedPostgres } from '@nestjs-orchestrator/embedded-postgres';
import { expect, it, onTestFinished } from 'vitest';
import { failureOf, serverOf, start, startOwner, temporaryFolder, valueOf } from './support.js';

const isRoot = process.getuid?.() === 0;

it('a data directory below a regular file is refused with its path', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  expect(await failureOf({ dataDir: join(file, 'data') })).toMatchObject({
    name: 'EmbeddedPostgresError',
    code: 'EMBEDDED_POSTGRES_DATA_DIR_NOT_WRITABLE',
    message: expect.stringContaining(join(file, 'data')),
    fields: { systemCode: 'ENOTDIR' },
  });
});

it('a data directory that is a regular file is refused', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  expect(await failureOf({ dataDir: file })).toMatchObject({
    code: 'EMBEDDED_POSTGRES_DATA_DIR_NOT_WRITABLE',
  });
});

// Root may write to any folder on a disk, but nobody may make one in /proc.
it.runIf(process.platform === 'linux')('a file system that takes no folders is refused', async () => {
  expect(await failureOf({ dataDir: '/proc/data' })).toMatchObject({
    code: 'EMBEDDED_POSTGRES_DATA_DIR_NOT_WRITABLE',
  });
});

it.skipIf(isRoot)('a folder without the right to write is refused, and works once there is one', async () => {
  const dataDir = temporaryFolder();
  chmodSync(dataDir, 0o555);
  expect(await failureOf({ dataDir })).toMatchObject({ code: 'EMBEDDED_POSTGRES_DATA_DIR_NOT_WRITABLE' });
  chmodSync(dataDir, 0o755);
  expect(await valueOf((await start({ dataDir })).url, 'SELECT 1')).toBe(1);
});

it('a port that is taken is refused before anything is made', async () => {
  const dataDir = temporaryFolder();
  const listener = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const progress: string[] = [];
  const error = await failureOf({ dataDir, port, onProgress: (line) => progress.push(line) });
  expect(error).toMatchObject({
    code: 'EMBEDDED_POSTGRES_PORT_TAKEN',
    retryable: true,
    message: expect.stringContaining(String(port)),
    fields: { port },
  });
  expect(progress).toEqual([]);
});

it('data of another major version is refused, and left as it was', async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'cluster'));
  writeFileSync(join(dataDir, 'cluster', 'PG_VERSION'), '16\n');
  expect(await failureOf({ dataDir })).toMatchObject({
    code: 'EMBEDDED_POSTGRES_DATA_DIR_VERSION',
    fields: { found: '16', expected: '18' },
  });
});

it('a folder in the place of the cluster that holds something else is refused', async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'cluster'));
  writeFileSync(join(dataDir, 'cluster', 'holiday.jpg'), '');
  expect(await failureOf({ dataDir })).toMatchObject({ code: 'EMBEDDED_POSTGRES_INIT_FAILED' });
});

it('a data directory in use is refused with the process that has it, and free again after its stop', async () => {
  const dataDir = temporaryFolder();
  const owner = startOwner({ dataDir });
  await serverOf(owner);
  expect(await failureOf({ dataDir })).toMatchObject({
    code: 'EMBEDDED_POSTGRES_DATA_DIR_IN_USE',
    fields: { pid: owner.pid },
  });
  owner.send('stop');
  expect(await owner.ended).toBe(0);
  const server = await start({ dataDir });
  expect(server.stoppedOrphan).toBeUndefined();
  // The same holds within one process.
  expect(await failureOf({ dataDir })).toMatchObject({ fields: { pid: process.pid } });
});

it('a start that fails or takes too long says why, and leaves nothing running', async () => {
  const dataDir = temporaryFolder();
  const wrong = await failureOf({ dataDir, settings: { shared_buffers: 'plenty' } });
  expect(wrong).toMatchObject({
    code: 'EMBEDDED_POSTGRES_START_FAILED',
    message: expect.stringContaining('invalid value for parameter "shared_buffers": "plenty"'),
  });
  const late = await failureOf({ dataDir, startTimeoutMs: 0.001 });
  expect(late).toMatchObject({ code: 'EMBEDDED_POSTGRES_START_TIMED_OUT', retryable: true });
  const server = await start({ dataDir });
  expect(server.stoppedOrphan).toBeUndefined();
  expect(await valueOf(server.url, 'SELECT 1')).toBe(1);
});

it('an error is recognised by its code', async () => {
  const error: unknown = await startEmbeddedPostgres({ dataDir: '' }).catch((reason: unknown) => reason);
  expect(isEmbeddedPostgresError(error)).toBe(true);
  expect(isEmbeddedPostgresError(error, 'EMBEDDED_POSTGRES_OPTION_INVALID')).toBe(true);
  expect(isEmbeddedPostgresError(error, 'EMBEDDED_POSTGRES_PORT_TAKEN')).toBe(false);
  expect(isEmbeddedPostgresError(new Error('other'))).toBe(false);
});
