import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { resolveOptions, type EmbeddedPostgresOptions } from './options.js';

it('only the folder has no default', () => {
  expect(resolveOptions({ dataDir: 'data' })).toMatchObject({
    dataDir: resolve('data'),
    port: undefined,
    host: '127.0.0.1',
    user: 'postgres',
    database: 'app',
    durable: true,
    stopOnExit: false,
  });
});

it.each<[string, Partial<Record<keyof EmbeddedPostgresOptions, unknown>>]>([
  ['dataDir', { dataDir: '' }],
  ['dataDir', { dataDir: undefined }],
  ['port', { port: 0 }],
  ['port', { port: 65_536 }],
  ['port', { port: 1.5 }],
  ['host', { host: '0.0.0.0' }],
  ['user', { user: '' }],
  ['database', { database: 'ä'.repeat(32) }],
  ['database', { database: 'two\nlines' }],
  ['password', { password: '' }],
  ['startTimeoutMs', { startTimeoutMs: 0 }],
  ['settings', { settings: { 'a b': '1' } }],
])('an impossible %s is refused by name: %o', (option, wrong) => {
  const options = { dataDir: 'data', ...wrong } as EmbeddedPostgresOptions;
  expect(() => resolveOptions(options)).toThrow(
    expect.objectContaining({
      code: 'EMBEDDED_POSTGRES_OPTION_INVALID',
      fields: expect.objectContaining({ option }),
    }),
  );
});

it('a refused password is not shown', () => {
  expect(() => resolveOptions({ dataDir: 'data', password: 'secret\n' })).not.toThrow(/secret/);
});
