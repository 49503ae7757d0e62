import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vitest/config';

/**
 * Lets some of the `await`s of the libs take long, always the same ones in a run: whoever awaits there goes on 10 to 300 ms after what it awaited. What
 * others do in that time comes first, which on an idle machine it hardly ever does. No interleaving is made up: each `await` may take as long as that.
 * A virtual clock takes them for real work: time goes on when they have ended.
 *
 * SLOW_AWAITS   `SEED/SHARE`: which ones, and how many of a hundred; or `FILE:N,…`: these, by their numbers in the files
 * SLOW_SCALE    how long, as a factor (1): less where hours of virtual time go by
 */
export function slowAwaits(chosen: string): Plugin {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const isSlow = choice(chosen);
  return {
    name: 'slow-awaits',
    enforce: 'post',
    transform(code, id) {
      const file = relative(root, id.split('?')[0] as string);
      if (
        !/^libs\/[^/]+\/src\/.*\.ts$/.test(file) ||
        file.endsWith('.spec.ts') ||
        file.startsWith('libs/testing/')
      )
        return null;
      const found: { readonly from: number; readonly to: number }[] = [];
      find(this.parse(code), found);
      found.sort((a, b) => a.from - b.from);
      const insertions: (readonly [at: number, text: string])[] = [];
      for (const [index, { from, to }] of found.entries()) {
        const site = `${file}:${index}`;
        if (!isSlow(site)) continue;
        const line = code.slice(code.lastIndexOf('\n', from) + 1, code.indexOf('\n', from)).trim();
        if (process.env['SLOW_AWAITS_SHOWN']) console.log(`slow: ${site}  ${line}`);
        insertions.push([from, `globalThis.__slow(${lateness(site)}, (`], [to, '))']);
      }
      if (insertions.length === 0) return null;
      insertions.sort((a, b) => b[0] - a[0]);
      // The set-up of a run has no `slow.ts`, and waits for nothing but its servers.
      let slowed = code;
      for (const [at, text] of insertions) slowed = slowed.slice(0, at) + text + slowed.slice(at);
      return { code: `globalThis.__slow ??= (_, awaited) => awaited;\n${slowed}`, map: null };
    },
  };
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly argument?: Node;
}

function find(node: unknown, found: { from: number; to: number }[]): void {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    for (const each of node) find(each, found);
    return;
  }
  const { type, argument } = node as Node;
  if (type === 'AwaitExpression' && argument) found.push({ from: argument.start, to: argument.end });
  for (const value of Object.values(node)) find(value, found);
}

function choice(chosen: string): (site: string) => boolean {
  const [seed, share] = chosen.split('/').map(Number) as [number, number];
  if (Number.isFinite(seed) && Number.isFinite(share))
    return (site) => hash(`${seed} ${site}`) % 10_000 < share * 100;
  const sites = new Set(chosen.split(','));
  return (site) => sites.has(site);
}

function lateness(site: string): number {
  return 10 + (hash(`${site} ms`) % 29) * 10;
}

/** FNV-1a, mixed. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
