import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/workspace.js';

/** Pages whose code is quoted from files that the compiler checks. */
const QUOTES = [['README.md', 'test/docs/readme-saga.ts', 'saga']] as const;

function region(path: string, name: string): string {
  const text = readFileSync(join(root, path), 'utf8');
  const start = text.indexOf(`// #region ${name}\n`);
  if (start < 0) throw new Error(`${path} has no region '${name}'.`);
  return text.slice(text.indexOf('\n', start) + 1, text.indexOf('// #endregion', start)).trim();
}

describe('documentation', () => {
  it.each(QUOTES)('%s quotes %s (%s) to the letter', (page, source, name) => {
    const text = readFileSync(join(root, page), 'utf8');
    expect(text).toContain(`\`\`\`ts\n${region(source, name)}\n\`\`\``);
  });

  it('lets the README begin with code, before any heading but its title, and keeps it short', () => {
    const lines = readFileSync(join(root, 'README.md'), 'utf8').split('\n');
    expect(lines.length).toBeLessThan(150);
    const code = lines.indexOf('```ts');
    expect(lines.findIndex((line) => line.startsWith('## '))).toBeGreaterThan(code);
    expect(lines.indexOf('```', code) - code - 1).toBeLessThanOrEqual(25);
  });
});
