import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Binaries } from './binaries.js';
import { libraryEnvironment } from './libraries.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'libraries-spec-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it.skipIf(process.platform === 'win32')(
  'links that no install script made are made in the data directory',
  () => {
    const native = join(folder, 'native');
    mkdirSync(join(native, 'lib'), { recursive: true });
    writeFileSync(join(native, 'lib', 'libx.so.5.1'), 'code');
    writeFileSync(
      join(native, 'pg-symlinks.json'),
      JSON.stringify([{ source: 'native/lib/libx.so.5.1', target: 'native/lib/libx.so.5' }]),
    );
    const data = join(folder, 'data');
    for (let start = 0; start < 2; start += 1) {
      const [path] = Object.values(libraryEnvironment({ native } as Binaries, data));
      expect(path).toBe(`${join(data, 'lib')}:${join(native, 'lib')}`);
      expect(readFileSync(join(data, 'lib', 'libx.so.5'), 'utf8')).toBe('code');
    }
  },
);

it('an installation that is whole needs nothing', () => {
  expect(libraryEnvironment({ native: folder } as Binaries, join(folder, 'data'))).toEqual({});
});
