import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectPipes } from '@nestjs-orchestrator/transports';
import { describe, expect, it } from 'vitest';
import { ClusterFolder } from '../../../libs/transports/src/named-pipe/cluster-folder.js';
import { orchestrator } from '../../support/command-line.js';
import { startProcess } from '../../support/processes.js';
import { folderOfTest, Station } from './support.js';

const inspect = (directory: string, ...more: string[]) =>
  orchestrator(['inspect', 'test', '--type', 'named-pipe', '--directory', directory, ...more]);

const below = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).toSorted();

describe('orchestrator inspect --type named-pipe', () => {
  it('shows who is there and which names they hold; nobody hears of it', async () => {
    const directory = folderOfTest();
    const [one, two] = [
      await new Station('one').join({ directory }),
      await new Station('two').join({ directory }),
    ];
    await one.sees('two', 'up');
    await two.seat.claim('shop/till-1', 'till');
    const { code, out } = await inspect(directory);
    expect(code).toBe(0);
    expect(out).toContain(
      `Processes, 2:\n  one  pid ${process.pid}  alive  frames of up to 4194304 bytes\n  two  `,
    );
    expect(out).toContain('Names, 1:\n  shop/till-1  held by two: till\n');
    expect(one.told.map(({ endpoint, state }) => `${endpoint.name} ${state}`)).toEqual(['two up']);
  });

  it('tells of the dead without removing what they left, as JSON as well', async () => {
    const directory = folderOfTest();
    const member = startProcess(import.meta.url, './member.process.ts', { directory, cluster: 'test' });
    expect(await member.next()).toBe('joined');
    await member.kill('SIGKILL');
    const before = below(directory);
    const { out } = await inspect(directory, '--json');
    const dead = { name: 'member', pid: member.pid, state: 'dead' };
    expect(JSON.parse(out)).toMatchObject({
      type: 'named-pipe',
      cluster: 'test',
      processes: [dead],
      names: [{ name: 'name of member', holder: 'member', state: 'dead' }],
    });
    expect(JSON.parse(out)).toEqual({ type: 'named-pipe', ...(await inspectPipes('test', { directory })) });
    expect((await inspect(directory)).out).toContain('held by member, which is dead');
    expect(below(directory)).toEqual(before);
  });

  it.each([
    ['no such cluster', () => undefined, "no cluster 'test' over named pipes"],
    [
      'a folder that others may enter',
      (directory: string) => chmodSync(directory, 0o755),
      'is open to others',
    ],
    [
      'a file in place of the folder',
      (directory: string) => writeFileSync(ClusterFolder.of(directory, 'test').path, ''),
      'is no folder',
    ],
    [
      'processes of another version',
      (directory: string) => {
        const key = join(ClusterFolder.of(directory, 'test').endpoints, 'key');
        mkdirSync(key, { recursive: true, mode: 0o700 });
        writeFileSync(join(key, `${'a'.repeat(20)}.held`), '{"protocol":9,"name":"newer"}');
      },
      'speaks version 9 of the protocol',
    ],
    [
      'claims that are no JSON',
      (directory: string) => {
        const key = join(ClusterFolder.of(directory, 'test').endpoints, 'key');
        mkdirSync(key, { recursive: true, mode: 0o700 });
        writeFileSync(join(key, `${'a'.repeat(20)}.held`), '{');
      },
      'speaks version undefined',
    ],
  ])('says what is the matter: %s', async (_what, spoil, words) => {
    const directory = folderOfTest();
    spoil(directory);
    const before = below(directory);
    const { code, out, error } = await inspect(directory);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(words);
    expect(below(directory)).toEqual(before);
  });

  it('says so where the folder is not there, and makes none', async () => {
    const directory = join(folderOfTest(), 'absent');
    expect((await inspect(directory)).error).toContain('no cluster');
    expect(existsSync(directory)).toBe(false);
  });

  it.each([
    [['--redis', 'redis://localhost'], '--redis is for distributed, and this is named-pipe'],
    [['--prefix', 'x'], '--prefix is for distributed'],
    [['--type', 'pigeon'], 'Allowed choices are shared-memory, named-pipe, distributed'],
  ])('refuses %j, which nothing would read', async (more, words) => {
    const { code, error } = await inspect(folderOfTest(), ...more);
    expect(code).toBe(2);
    expect(error).toContain(words);
  });
});

// Only root can become another user.
it.runIf(process.getuid?.() === 0)('another user is told whose the folder is', async () => {
  const directory = folderOfTest();
  const one = await new Station('one').join({ directory });
  const said = await startProcess(import.meta.url, './inspecting.process.ts', { directory }).next<string>();
  expect(said).toMatch(/belongs to user 0, not to 65534/);
  expect(one.told).toEqual([]);
});
