import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doorStep } from './statechart-guide.js';
import { libs, root } from '../support/workspace.js';

/** Pages whose code is quoted from files that the compiler checks. */
const QUOTES = [
  ['README.md', 'test/docs/readme-saga.ts', 'saga'],
  ...['module', 'methods', 'guard', 'client'].map(
    (name) => ['docs/guides/resilience.md', 'test/docs/nest-resilience.ts', name] as const,
  ),
  ['docs/guides/machines-in-nest.md', 'test/docs/nest-machines.ts', 'machine'],
  ['docs/guides/machines-in-nest.md', 'test/docs/nest-machines.ts', 'module'],
  ['docs/guides/transports.md', 'test/docs/transports-guide.ts', 'module'],
  ['docs/guides/transports.md', 'test/docs/transports-guide.ts', 'plain'],
  ['docs/guides/transports.md', 'test/docs/transports-guide.ts', 'gateway'],
  ['docs/guides/redis.md', 'test/docs/redis-guide.ts', 'module'],
  ['docs/guides/redis.md', 'test/docs/redis-guide.ts', 'cluster'],
  ...['vocabulary', 'class', 'builder', 'steps', 'nested'].map(
    (name) => ['docs/guides/sagas.md', 'test/docs/sagas-guide.ts', name] as const,
  ),
  ['docs/guides/messaging.md', 'test/docs/messaging-guide.ts', 'transaction'],
  ['docs/guides/sagas.md', 'test/docs/sagas-guide.spec.ts', 'analysis'],
  ['docs/guides/statechart.md', 'test/docs/statechart-guide.ts', 'door'],
  ['docs/guides/orchestrator.md', 'test/docs/orchestrator-guide.ts', 'orders'],
  ['docs/guides/orchestrator.md', 'test/docs/orchestrator-guide.ts', 'tenants'],
] as const;

/** All pages for people, by their path from the root. */
const pages = ['.', 'docs', 'docs/adr', 'docs/guides', ...libs.map((lib) => lib.path)].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** Targets of a page's links that lead to other files of the project, relative to the root. */
function linkedFiles(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  const files = targets.filter((target) => !/^(https?:|mailto:|#)/.test(target));
  return files.map((target) => join(dirname(page), target.replace(/#.*$/, '')));
}

function region(path: string, name: string): string {
  const text = readFileSync(join(root, path), 'utf8');
  const start = text.indexOf(`// #region ${name}\n`);
  if (start < 0) throw new Error(`${path} has no region '${name}'.`);
  return text.slice(text.indexOf('\n', start) + 1, text.indexOf('// #endregion', start)).trim();
}

describe('documentation', () => {
  it('shows a door whose step is what its comment says', () => {
    expect(doorStep.changed).toBe(true);
    expect(doorStep.effects).toMatchObject([
      { type: 'action', name: 'ring' },
      { type: 'after', node: 'door.open', epoch: 1, delay: 5_000 },
    ]);
  });

  it.each(QUOTES)('%s quotes %s (%s) to the letter', (page, source, name) => {
    const text = readFileSync(join(root, page), 'utf8');
    expect(text).toContain(`\`\`\`ts\n${region(source, name)}\n\`\`\``);
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
