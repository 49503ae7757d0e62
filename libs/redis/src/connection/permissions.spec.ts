import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { STORE_COMMANDS, STREAM_COMMANDS } from './permissions.js';

const src = fileURLToPath(new URL('..', import.meta.url));
/** Methods of the client that send nothing, or whose commands stand elsewhere. */
const NO_COMMAND = new Set(['connect', 'disconnect', 'off', 'on', 'once', 'pipeline', 'client', 'duplicate']);

/** Commands that the files of these folders use, in scripts and by the client. */
function usedIn(folders: readonly string[], but: readonly string[] = []): readonly string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(src, folder))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !but.includes(file))
      .map((file) => readFileSync(join(src, folder, file), 'utf8')),
  );
  const text = files.join('\n');
  const inScripts = [...text.matchAll(/redis\.p?call\(\s*'([A-Z]+)'/g)].map(([, name = '']) => name);
  const byClient = [...text.matchAll(/\bclient(?: as Redis\))?\.([a-z]+)\(/g)]
    .map(([, name = '']) => name)
    .filter((name) => !NO_COMMAND.has(name));
  return [...new Set([...inScripts, ...byClient.map((name) => name.toUpperCase())])];
}

const commandOf = (need: string): string => need.split(' ')[0] ?? '';

it('names every command that the store uses', () => {
  const rooms = ['commit', 'connection', 'delivery', 'instance', 'notify', 'operations', 'outbox', 'timer'];
  const used = usedIn([...rooms, 'transaction']);
  expect(used.length).toBeGreaterThan(25);
  expect(used.filter((name) => !STORE_COMMANDS.map(commandOf).includes(name))).toEqual([]);
});

it('names every command that streams use', () => {
  // Those of the connection that only the store uses are not among them; whoever inspects a cluster reads only.
  const used = usedIn(['streams', 'connection'], ['inspect.ts', 'prelude.lua.ts']);
  expect(used.length).toBeGreaterThan(25);
  expect(used.filter((name) => !STREAM_COMMANDS.map(commandOf).includes(name))).toEqual([]);
});
