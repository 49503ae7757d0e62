import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isEmbeddedPostgresError } from './errors.js';
import { identify } from './identity.js';
import { takeOwnership } from './owner.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'owner-spec-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function claim(number: number, content: object | string): void {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(folder, `owner.${number}.json`), text);
}

it('a second claim is refused until the first is given back', () => {
  const first = takeOwnership(folder);
  expect(() => takeOwnership(folder)).toThrow(/in use by this very process/);
  first.release();
  takeOwnership(folder);
  expect(readdirSync(folder)).toEqual(['owner.2.json']);
});

it('the claim of a live process counts', () => {
  claim(7, { ...identify(process.ppid), released: false });
  expect(() => takeOwnership(folder)).toThrow(
    expect.toSatisfy((error) => isEmbeddedPostgresError(error, 'EMBEDDED_POSTGRES_DATA_DIR_IN_USE')),
  );
});

it.each([
  ['whose process has ended', { pid: 2 ** 22 + 1, born: 'then', released: false }],
  ['whose process id was given to another process', { pid: process.ppid, born: 'long ago', released: false }],
  ['that was given back', { ...identify(process.ppid), released: true }],
  ['that was cut short', '{"pid":1'],
])('a claim %s is superseded', (_, content) => {
  claim(7, content);
  takeOwnership(folder);
  expect(readdirSync(folder)).toEqual(['owner.8.json']);
});
