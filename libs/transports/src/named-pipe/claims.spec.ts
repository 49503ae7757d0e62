import { mkdtempSync, readdirSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Claims } from './claims.js';

let folder: string;
let dead: Set<string>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orch-claims-'));
  dead = new Set();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const claims = (incarnation: string): Claims =>
  new Claims(folder, incarnation, async (other) => !dead.has(other));

describe('claims', () => {
  it('give a key to one of many who want it at the same time, again and again', async () => {
    const many = Array.from({ length: 8 }, (_, n) => claims(`inc${n}`));
    for (let round = 0; round < 10; round += 1) {
      const rivals = await Promise.all(many.map((each, n) => each.take('key', { n })));
      const winners = rivals.flatMap((rival, n) => (rival === undefined ? [`inc${n}`] : []));
      expect(winners).toHaveLength(1);
      expect(new Set(rivals.map((rival) => rival?.incarnation ?? winners[0]))).toEqual(new Set(winners));
      await Promise.all(many.map((each) => each.release('key')));
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of the dead count for nothing, and their files go', async () => {
    await claims('old').take('key', { of: 'old' });
    await claims('old').take('other', { of: 'old' });
    dead.add('old');
    expect(await claims('new').take('key', { of: 'new' })).toBeUndefined();
    expect(await claims('new').all()).toEqual([{ incarnation: 'new', content: { of: 'new' } }]);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('are refused with what the holder wrote down', async () => {
    await claims('one').take('key', { about: 'it' });
    const rival = { incarnation: 'one', content: { about: 'it' } };
    expect(await claims('two').take('key', {})).toEqual(rival);
    expect(await claims('two').holder('key')).toEqual(rival);
    await claims('two').release('key');
    expect(await claims('two').holder('key')).toEqual(rival);
  });

  it('are left to one who was stopped while it wanted them', async () => {
    await claims('stopped').take('key', {});
    const [key = ''] = readdirSync(folder);
    rmSync(join(folder, key, 'stopped.held'));
    expect(await claims('one').take('key', {})).toEqual({ incarnation: 'stopped', content: undefined });
    dead.add('stopped');
    expect(await claims('one').take('key', {})).toBeUndefined();
  });

  it('wait out one who withdraws', async () => {
    const rival = claims('aaa');
    await rival.take('key', {});
    const [key = ''] = readdirSync(folder);
    mkdirSync(join(folder, key), { recursive: true });
    writeFileSync(join(folder, key, 'aaa.want'), '{}');
    rmSync(join(folder, key, 'aaa.held'));
    const taking = claims('bbb').take('key', {});
    await rival.release('key');
    expect(await taking).toBeUndefined();
  });
});
