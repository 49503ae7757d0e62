import { describe, expect, it } from 'vitest';
import { readJson } from '../support/workspace.js';
import { type Locked, lockFaults } from './lock-file.js';

describe('package-lock.json', () => {
  it('can be installed from on every platform and behind any registry', () => {
    expect(lockFaults(readJson<{ packages: Record<string, Locked> }>('package-lock.json').packages)).toEqual(
      [],
    );
  });

  it('is found faulty when a platform package has no entry', () => {
    const tool = { optionalDependencies: { '@tool/linux': '1.0.0', '@tool/mac': '1.0.0' } };
    expect(lockFaults({ 'node_modules/tool': tool, 'node_modules/@tool/linux': {} })).toEqual([
      'node_modules/tool wants @tool/mac, which has no entry',
    ]);
  });

  it('is found faulty when it names an address', () => {
    const packages = {
      'node_modules/a': { resolved: 'https://a/b.tgz' },
      'libs/b': { resolved: 'libs/b', link: true },
    };
    expect(lockFaults(packages)).toEqual(['node_modules/a names the address https://a/b.tgz']);
  });
});
