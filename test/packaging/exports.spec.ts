import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { doorsOf, libs, root, sourcesOf } from '../support/workspace.js';
import { blanketExports, doorFaults, exportsOf } from './doors.js';

const source = '@nestjs-orchestrator/source';
const doors = libs.flatMap((lib) =>
  doorsOf(lib.manifest).map(([specifier, door]) => ({ specifier, file: join(root, lib.path, door[source]) })),
);
const exported = exportsOf(doors.map((door) => door.file));
const behind = (file: string) => exported.get(file) ?? [];

describe.each(doors)('$specifier', ({ specifier, file }) => {
  it('opens the names on record (after a wanted change: npx vitest run test/packaging -u)', async () => {
    const names = behind(file).map(({ name, value }) => `${value ? 'value' : 'type '} ${name}\n`);
    const record = specifier.replace('@nestjs-orchestrator/', '').replaceAll('/', '.');
    await expect(names.join('')).toMatchFileSnapshot(`./doors/${record}.txt`);
  });

  it('lists names and holds no code', () => {
    expect(doorFaults(readFileSync(file, 'utf8'))).toEqual([]);
  });
});

/** `./internal` is for the sibling packages. */
const open = doors.filter(({ specifier }) => !specifier.endsWith('/internal'));

it.each(open)('every name behind $specifier has a docstring', ({ file }) => {
  const bare = behind(file).filter((name) => !name.documented);
  expect(bare.map(({ name }) => name)).toEqual([]);
});

it.each(libs.map((lib) => [lib.path, lib] as const))(
  'no file of %s exports whatever another one holds',
  (_, lib) => {
    const faults = sourcesOf(lib).flatMap(({ path, text }) =>
      blanketExports(text).map((line) => `${path}: ${line}`),
    );
    expect(faults).toEqual([]);
  },
);

describe('a fault is seen', () => {
  const file = join(root, 'libs/core/src/door-of-a-test.ts');
  const read = (text: string) => {
    const disk = ts.createCompilerHost({});
    const host: ts.CompilerHost = {
      ...disk,
      fileExists: (path) => path === file || disk.fileExists(path),
      getSourceFile: (path, ...rest) =>
        path === file
          ? ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
          : disk.getSourceFile(path, ...rest),
    };
    return exportsOf([file], host).get(file);
  };

  it('in a name without a docstring', () => {
    expect(
      read(
        '/** Says why. */\nexport const told = 1;\nexport interface Bare { a: 1 }\n/** */\nexport class Empty {}',
      ),
    ).toEqual([
      { name: 'Bare', value: false, documented: false },
      { name: 'Empty', value: true, documented: false },
      { name: 'told', value: true, documented: true },
    ]);
  });

  it('in a class that is exported as a type only', () => {
    expect(read('/** A. */\nclass A {}\nexport type { A };')).toEqual([
      { name: 'A', value: false, documented: true },
    ]);
  });

  const lists = "export { a, b as c } from './a.js';\nexport type { D } from './d.js';\nexport {};";

  it.each(['export const a = 1;', 'export default 1;', "import './a.js';", "export * from './a.js';"])(
    'in a door that says %s',
    (text) => expect(doorFaults(`${lists}\n${text}`)).toEqual([text]),
  );

  it.each(["export * from './a.js';", "export * as a from './a.js';", "export type * from './a.js';"])(
    'in a file that says %s',
    (text) => expect(blanketExports(`${lists}\nexport const x = 1;\n${text}`)).toEqual([text]),
  );

  it('not in a list of names', () => expect(doorFaults(lists)).toEqual([]));
});
