import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/workspace.js';
import { blocksOf, indentedCodeOf, linkedFiles, pages, region } from './pages.js';
import { doorByMicrosteps, doorStep } from './statechart-guide.js';

/** Languages of which nothing is compiled. Code is `ts`, quoted from a file that the compiler checks. */
const NO_CODE = new Set(['', 'sh', 'md']);
const blocks = pages.flatMap((page) => blocksOf(page)).filter(({ language }) => !NO_CODE.has(language));

describe('documentation', () => {
  it('shows a door whose step is what its comment says', () => {
    expect(doorStep.changed).toBe(true);
    expect(doorStep.effects).toMatchObject([
      { type: 'action', name: 'ring' },
      { type: 'after', node: 'door.open', epoch: 1, delay: 5_000 },
    ]);
  });

  it('shows a runner that comes to the same by microsteps', async () => {
    const { context, asked } = await doorByMicrosteps();
    expect(context).toEqual(doorStep.snapshot.context);
    expect(asked).toEqual(doorStep.effects.map(({ type }) => type));
  });

  it.each(blocks.map((block) => [block.at, block] as const))('quotes compiled code at %s', (_, block) => {
    expect(block.language).toBe('ts');
    // The comment before it: <!-- path#region -->.
    const [path = '', name = ''] = block.source?.split('#') ?? [];
    expect(path).toMatch(/^(test|apps)\/.*\.ts$/);
    expect(block.code).toBe(region(path, name));
  });

  it('has a page with code, so that the rule above rules something', () => {
    expect(blocks.length).toBeGreaterThan(30);
    expect(pages.flatMap((page) => indentedCodeOf(page))).toEqual([]);
  });

  it.each(pages)('%s links to files that exist', (page) => {
    expect(linkedFiles(page).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('lets the README begin with code, before any heading but its title, and keeps it short', () => {
    const lines = readFileSync(join(root, 'README.md'), 'utf8').split('\n');
    expect(lines.length).toBeLessThan(150);
    const code = lines.indexOf('```ts');
    expect(lines.findIndex((line) => line.startsWith('## '))).toBeGreaterThan(code);
    expect(lines.indexOf('```', code) - code - 1).toBeLessThanOrEqual(25);
  });
});
