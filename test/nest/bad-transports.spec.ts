import { chmodSync, closeSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { globalOrchestrator, isOrchestratorError } from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import {
  defineMachine,
  machineDecorators,
  Orchestrator,
  OrchestratorModule,
  type OrchestratorModuleOptions,
} from '@nestjs-orchestrator/nest';
import { TransportClient, TransportServer } from '@nestjs-orchestrator/nest/microservices';
import { redisStore, redisStreams, type RedisStreamsOptions } from '@nestjs-orchestrator/redis';
import {
  namedPipe,
  sharedMemory,
  type NamedPipeOptions,
  type SharedMemoryOptions,
} from '@nestjs-orchestrator/transports';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { segmentName } from '../../libs/transports/src/shared-memory/system/cluster-names.js';
import { rejection } from '../orchestrator/support.js';
import { clientOf } from '../redis/streams-support.js';
import { redisFolder, redisNamespace } from '../support/redis.js';
import { freePort, startRedisServer } from '../support/redis-server.js';
import { folderOfTest } from '../transports/named-pipe/support.js';
import { boot, named } from './support/application.js';

const till = defineMachine({
  id: 'till',
  initial: 'open',
  states: { open: { on: { PING: { actions: 'pong' } } } },
});
const { Machine, Action } = machineDecorators(till);

@Machine()
class Till {
  @Action('pong')
  pong(): void {}
}

const TillModule = named('TillModule', {
  imports: [OrchestratorModule.forFeature([till])],
  providers: [Till],
});
/** A further group, which joins after that of the application. */
const Further = named('Further', {
  imports: [OrchestratorModule.forFeature([till], { channelGroup: 'further' })],
  providers: [Till],
});

type Wishes = NonNullable<OrchestratorModuleOptions['transport']>;

async function started(
  transport: Wishes,
  more: Partial<OrchestratorModuleOptions> = {},
  feature = TillModule,
) {
  const { module } = await boot([feature], { machines: { name: 'shop' }, transport, ...more });
  onTestFinished(() => module.close());
  return { module, orchestrator: module.get(Orchestrator) };
}

const application = async (...options: Parameters<typeof started>): Promise<Orchestrator> =>
  (await started(...options)).orchestrator;

/** What an application could not start with: an error of ours, with a code. */
async function refused(
  ...options: Parameters<typeof application>
): Promise<{ code: string; message: string }> {
  const error = await rejection(application(...options));
  if (!isOrchestratorError(error)) throw error;
  const { code, message } = error;
  return { code, message };
}

/** Settles when an application has been told that this endpoint is gone: who leaves waits for others only for a while. */
function seenToLeave(seenBy: Orchestrator, name: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = seenBy.subscribe(
      (record) => {
        if (record.type !== 'peer' || record.endpoint !== name || record.state !== 'lost') return;
        stop();
        resolve();
      },
      { only: ['peer'] },
    );
  });
}

const groups = (): number => globalOrchestrator().stats().groups;
const filesIn = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).toSorted();
const matching = (text: RegExp): string => expect.stringMatching(text) as string;

// Whatever a test has refused, and what it has closed, is out of the process again.
let before: number;
beforeEach(({ onTestFinished: atLast }) => {
  before = groups();
  atLast(() => {
    if (groups() !== before) throw new Error('A channel group was left behind.');
  });
});

describe('an application over named pipes', () => {
  const over = (options: NamedPipeOptions, more: Partial<Wishes> = {}): Wishes => ({
    transports: { 'named-pipe': namedPipe({ leaveMs: 100, ...options }) },
    endpoint: 'one',
    ...more,
  });

  it.each([
    [
      'its path is too long',
      (folder: string) => join(folder, 'x'.repeat(80)),
      /would have \d+ bytes.*in 'directory'/,
    ],
    [
      'others may enter its folder',
      (folder: string) => (chmodSync(folder, 0o755), folder),
      /open to others.*'directory'/,
    ],
    [
      'its folder is a file',
      (folder: string) => (writeFileSync(join(folder, 'file'), ''), join(folder, 'file')),
      /can't be made.*'directory'/,
    ],
  ])('does not start where %s, and leaves nothing behind', async (_what, spoil, message) => {
    const folder = folderOfTest();
    const directory = spoil(folder);
    const files = filesIn(folder);
    expect(await refused(over({ directory }))).toEqual({
      code: 'TRANSPORT_UNAVAILABLE',
      message: matching(message),
    });
    expect(filesIn(folder)).toEqual(files);
    expect(groups()).toBe(before);
  });

  it('does not start where its name, or that of its further group, is held; then it starts', async () => {
    const directory = folderOfTest();
    const one = await application(over({ directory }));
    const files = filesIn(directory);
    expect(await refused(over({ directory }))).toMatchObject({ code: 'ENDPOINT_TAKEN' });
    expect(filesIn(directory)).toEqual(files);
    // Its own group has joined by then, and leaves again.
    const two = await started(over({ directory }, { endpoint: 'two~further' }));
    const further = { endpoint: 'two', groups: ['further'] };
    const ownLeft = seenToLeave(one, 'two');
    expect(await refused(over({ directory }, further), {}, Further)).toMatchObject({
      code: 'ENDPOINT_TAKEN',
    });
    await ownLeft;
    const ends = (): string[] =>
      one
        .processes()
        .map(({ endpoint }) => endpoint)
        .toSorted();
    expect(ends()).toEqual(['one', 'two~further']);
    const furtherLeft = seenToLeave(one, 'two~further');
    await two.module.close();
    await furtherLeft;
    await application(over({ directory }, further), {}, Further);
    expect(ends()).toEqual(['one', 'two', 'two~further']);
  });

  it('does not start among processes with other limits', async () => {
    const directory = folderOfTest();
    await application(over({ directory }));
    expect(await refused(over({ directory, maxFrameBytes: 10_000 }, { endpoint: 'two' }))).toEqual({
      code: 'TRANSPORT_UNAVAILABLE',
      message: matching(/'maxFrameBytes' 4194304.*Use the same/),
    });
  });

  it('refuses ids and targets that can not be, and holds no name of them', async () => {
    const directory = folderOfTest();
    const one = await application(over({ directory }));
    const two = await application(over({ directory }, { endpoint: 'two' }));
    const long = 'x'.repeat(300);
    expect(await rejection(two.spawn(till, { id: long }))).toMatchObject({
      code: expect.stringMatching(/^(MACHINE_ID|NAME_INVALID)$/) as string,
    });
    expect(await one.machineNames()).toEqual([]);
    expect(two.machines()).toEqual([]);
    expect(await rejection(two.ref('nobody').request({ type: 'PING' }))).toMatchObject({
      code: 'UNKNOWN_MACHINE',
    });
    await one.spawn(till, { id: 'till-1' });
    expect(await rejection(two.spawn(till, { id: 'till-1' }))).toMatchObject({
      code: 'DUPLICATE_MACHINE_ID',
    });
    expect(two.machines()).toEqual([]);
  });
});

describe('an application over shared memory', () => {
  function place(options: SharedMemoryOptions = {}) {
    const [cluster, directory] = [randomUUID(), folderOfTest()];
    const path = join('/dev/shm', segmentName(cluster));
    onTestFinished(() => rmSync(path, { force: true }));
    const over = (endpoint = 'one', more: SharedMemoryOptions = {}): Wishes => ({
      transports: { 'shared-memory': sharedMemory({ directory, laneBytes: 4_096, ...options, ...more }) },
      cluster,
      endpoint,
    });
    return { directory, path, over };
  }

  it('does not start where the registry of processes is full; a place that is given back is taken', async () => {
    const { over } = place({ maxEndpoints: 2 });
    const one = await application(over('one'));
    const two = await started(over('two'));
    expect(await refused(over('three'))).toEqual({
      code: 'REGISTRY_FULL',
      message: matching(/maxEndpoints/),
    });
    expect(one.processes()).toHaveLength(2);
    await two.module.close();
    await application(over('three'));
  });

  it('begins no machine where the registry of names is full, and names that are given back are free', async () => {
    const { over } = place({ maxNames: 1 });
    const one = await application(over());
    const first = await one.spawn(till, { id: 'till-1' });
    expect(await rejection(one.spawn(till, { id: 'till-2' }))).toMatchObject({ code: 'REGISTRY_FULL' });
    expect(one.machines().map(({ id }) => id)).toEqual(['till-1']);
    await first.stop();
    await one.spawn(till, { id: 'till-2' });
  });

  it.each([
    [
      'something else is behind its name',
      (path: string) => writeFileSync(path, 'precious', { mode: 0o600 }),
      /something else/,
    ],
    [
      'others may write its memory',
      (path: string) => (writeFileSync(path, ''), chmodSync(path, 0o666)),
      /open to other users/,
    ],
  ])('does not start where %s, and leaves nothing behind', async (_what, spoil, message) => {
    const { directory, path, over } = place();
    spoil(path);
    expect(await refused(over())).toEqual({ code: 'TRANSPORT_UNAVAILABLE', message: matching(message) });
    expect(filesIn(directory)).toEqual([]);
    rmSync(path);
    await application(over());
  });

  it('does not start among processes with other limits, or of another version', async () => {
    const { path, over } = place();
    const one = await application(over());
    expect(await refused(over('two', { laneBytes: 8_192 }))).toEqual({
      code: 'TRANSPORT_UNAVAILABLE',
      message: matching(/'laneBytes' 4096, not 8192/),
    });
    const memory = openSync(path, 'r+');
    writeSync(memory, new Uint8Array([99]), 0, 1, 4);
    closeSync(memory);
    expect(await refused(over('two'))).toEqual({
      code: 'TRANSPORT_UNAVAILABLE',
      message: matching(/layout version 99/),
    });
    expect(one.processes()).toHaveLength(1);
  });
});

describe('an application over Redis Streams', () => {
  const over = (redis: Redis, options: RedisStreamsOptions, more: Partial<Wishes> = {}): Wishes => ({
    transports: { distributed: redisStreams(redis, { partitions: 2, ...options }) },
    endpoint: 'one',
    ...more,
  });

  it('does not start without a Redis, whatever its client is doing, and leaves the client alone', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    for (const lazyConnect of [true, false]) {
      const redis = new Redis(url, { lazyConnect });
      redis.on('error', () => undefined);
      onTestFinished(() => redis.disconnect());
      expect(await refused(over(redis, { timeoutMs: 2_000 }))).toEqual({
        code: 'TRANSPORT_UNAVAILABLE',
        message: matching(/ECONNREFUSED.*Check address, user and password/),
      });
      expect(redis.status).not.toBe('end');
      expect(groups()).toBe(before);
    }
  });

  it('does not start with a wrong password, and says nothing of it', async () => {
    const server = await startRedisServer(redisFolder(), { requirepass: 'right' });
    onTestFinished(() => server.stop('SIGKILL'));
    const urlWith = (password: string): string => server.url.replace('redis://', `redis://:${password}@`);
    const { code, message } = await refused(over(clientOf(urlWith('guessed')), {}));
    expect(code).toBe('TRANSPORT_UNAVAILABLE');
    expect(message).toMatch(/WRONGPASS|password/);
    expect(message).not.toContain('guessed');
    await application(over(clientOf(urlWith('right')), {}));
  });

  it('does not start in a cluster with another number of partitions, and is not in it then', async () => {
    const { url, prefix } = redisNamespace();
    const one = await application(over(clientOf(url), { prefix }));
    const wishes = over(clientOf(url), { prefix, partitions: 3 }, { endpoint: 'two' });
    expect(await refused(wishes)).toEqual({
      code: 'TRANSPORT_UNAVAILABLE',
      message: matching(/has 2 partitions, and this process asks for 3.*Set 'partitions' to 2/),
    });
    expect(one.processes()).toHaveLength(1);
  });
});

describe('configuration and environment', () => {
  const transports = () => ({ memory: memoryTransport(memoryNetwork()), 'named-pipe': namedPipe() });

  it.each([
    [
      'a type that was not given',
      { environment: { ORCHESTRATOR_TYPE: 'pigeon' } },
      'TRANSPORT_TYPE',
      /'ORCHESTRATOR_TYPE'.*pigeon.*memory.*named-pipe/,
    ],
    [
      'several to choose from, and nobody who does',
      { environment: {} },
      'TRANSPORT_TYPE',
      /^Nobody says which .*'type' or variable/,
    ],
    [
      'an option that is wrong though the environment is right',
      { type: 'pigeon', environment: { ORCHESTRATOR_TYPE: 'memory' } },
      'TRANSPORT_TYPE',
      /Option 'type'/,
    ],
    [
      'a cluster that is no part of an address',
      { type: 'memory', cluster: 'a/b' },
      'ORCHESTRATOR_OPTION',
      /cluster/,
    ],
    [
      'an endpoint that is no part of an address',
      { type: 'memory', endpoint: '' },
      'ORCHESTRATOR_OPTION',
      /endpoint/,
    ],
    [
      'a window that can not be',
      { type: 'memory', maxUnaccepted: 0 },
      'ORCHESTRATOR_OPTION',
      /maxUnaccepted/,
    ],
  ] as const)('refuse %s', async (_what, wishes, code, message) => {
    expect(await refused({ transports: transports(), ...wishes })).toEqual({
      code,
      message: matching(message),
    });
    expect(groups()).toBe(before);
  });

  it('are those of the process where no others are given', async () => {
    process.env['ORCHESTRATOR_TYPE'] = 'pigeon';
    onTestFinished(() => void delete process.env['ORCHESTRATOR_TYPE']);
    expect(await refused({ transports: transports() })).toMatchObject({ code: 'TRANSPORT_TYPE' });
  });

  it('let an application leave its cluster again whose store can not be reached', async () => {
    const network = memoryNetwork();
    const wishes = { transports: { memory: memoryTransport(network) }, endpoint: 'one' };
    const store = redisStore(new Redis(`redis://127.0.0.1:${await freePort()}`, { lazyConnect: true }));
    expect(await refused(wishes, { store })).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(groups()).toBe(before);
    expect((await application(wishes)).processes()).toHaveLength(1);
  });
});

describe('a microservice', () => {
  it('does not listen, and a client does not connect, where the folder is open to others', async () => {
    const directory = folderOfTest();
    chmodSync(directory, 0o755);
    const options = { transport: namedPipe({ directory }), service: 'shop' };
    const said = await new Promise((resolve) => void new TransportServer(options).listen(resolve));
    expect(said).toMatchObject({ code: 'TRANSPORT_UNAVAILABLE' });
    const client = new TransportClient(options);
    expect(await rejection(client.connect())).toMatchObject({ code: 'TRANSPORT_UNAVAILABLE' });
    await client.close();
    expect(filesIn(directory)).toEqual([]);
  });
});
