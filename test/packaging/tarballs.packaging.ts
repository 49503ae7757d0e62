import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doorsOf, libs, root } from '../support/workspace.js';
import { fileFaults } from '../architecture/boundaries.js';
import { contentFaults } from './contents.js';
import { type Format, pack, Project, type Tarball } from './project.js';

const publishable = libs.filter((lib) => !lib.manifest.private);
const doors = publishable.flatMap((lib) => doorsOf(lib.manifest).map(([specifier]) => specifier));
const formats: Format[] = ['module', 'commonjs'];

const dir = mkdtempSync(join(tmpdir(), 'orchestrator-pack-'));
const project = new Project(join(dir, 'project'));
let tarballs: Tarball[] = [];

beforeAll(() => {
  mkdirSync(project.dir);
  tarballs = pack(publishable, dir).map((it) => ({ ...it, filename: join(dir, it.filename) }));
  project.install(tarballs);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.each(publishable.map((lib) => [lib.manifest.name, lib] as const))('%s', (name, lib) => {
  it('packs its built files and nothing else', () => {
    const files = tarballs.find((tarball) => tarball.name === name)?.files.map((file) => file.path) ?? [];
    expect(contentFaults(lib.manifest, files)).toEqual([]);
  });

  it('names in its types only what it declares', () => {
    const dist = join(project.dir, 'node_modules', name, 'dist');
    const types = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.d.ts'),
    );
    expect(types.length).toBeGreaterThan(0);
    const house = { packages: libs, tools: new Set<string>() };
    const files = types.map((path) => ({
      path: path.split(sep).join('/'),
      text: readFileSync(join(dist, path), 'utf8'),
    }));
    expect(files.flatMap((file) => fileFaults(house, lib, file))).toEqual([]);
  });

  it('is installed once, with the others as its peers', () => {
    expect(existsSync(join(project.dir, 'node_modules', name, 'package.json'))).toBe(true);
    expect(existsSync(join(project.dir, 'node_modules', name, 'node_modules'))).toBe(false);
  });
});

describe('an application outside of the workspace', () => {
  const list = JSON.stringify(doors);
  const namesBy = (type: string, open: string) => {
    const script = `const names = {}; for (const door of ${list}) names[door] = Object.keys(${open}).sort();
      console.log(JSON.stringify(names));`;
    return JSON.parse(project.node('--no-warnings', `--input-type=${type}`, '-e', script)) as object;
  };

  it('finds the same names by import and by require', () => {
    const imported = namesBy('module', 'await import(door)');
    expect(Object.keys(imported)).toEqual(doors);
    expect(namesBy('commonjs', "require(door)).filter((name) => name !== '__esModule'")).toEqual(imported);
  });

  it.each(formats)('compiles against the types of every door as %s', (format) => {
    const text = doors.map((door, i) => `import * as d${i} from '${door}';`).join('\n');
    const used = `export const all: object[] = [${doors.map((_, i) => `d${i}`).join(', ')}];\n`;
    expect(project.compile(`types-${format}`, format, { 'main.ts': `${text}\n${used}` })).toContain(format);
  });

  it('does not compile what the types forbid', () => {
    const text = `import * as core from '@nestjs-orchestrator/core';\nexport const x: string = core;\n`;
    expect(() => project.compile('types-wrong', 'module', { 'main.ts': text })).toThrow(/TS2322/);
  });
});

/** Whether the Nest lib has its module yet; until then there is no application to boot. */
const nest = readFileSync(join(root, 'libs/nest/src/index.ts'), 'utf8');

describe.runIf(nest.includes('OrchestratorModule'))('a Nest application on the packed libs', () => {
  const source = readFileSync(join(root, 'test/packaging/fixtures/order-app.ts'), 'utf8');

  it.each(formats)('boots as %s and takes an order to its end', (format) => {
    const app = project.compile(`app-${format}`, format, { 'main.ts': source });
    expect(project.node('--no-warnings', join(app, 'out/main.js')).trim()).toBe('receipt for o-1');
  });
});
