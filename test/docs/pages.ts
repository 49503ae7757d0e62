import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { libs, root } from '../support/workspace.js';

/** All pages for people, by their path from the root. */
export const pages = ['.', 'docs', 'docs/adr', 'docs/guides', ...libs.map((lib) => lib.path)].flatMap(
  (folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
);

/** A block of code of a page. */
export interface Block {
  /** `page:line` of its first line of code. */
  readonly at: string;
  readonly language: string;
  readonly code: string;
  /** Where it says that it is quoted from: `path#region`. */
  readonly source: string | undefined;
}

const FENCE = /^(?:<!-- (\S+#\S+) -->\n\n?)?```(\S*)\n([\s\S]*?)^```$/gm;

/** The blocks of a page that are fenced, in order. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(FENCE)].map((match) => {
    const [all, source, language = '', code = ''] = match;
    const before = text.slice(0, match.index + all.length - code.length);
    return { at: `${page}:${before.split('\n').length - 1}`, language, code: code.trimEnd(), source };
  });
}

/** Code of a page that stands there by its indentation alone, and says no language. */
export function indentedCodeOf(page: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8').replace(FENCE, '');
  return [...text.matchAll(/\n\n {4}(\S.*)/g)].map(([, line = '']) => line);
}

/** Targets of a page's links that lead to other files of the project, relative to the root. */
export function linkedFiles(page: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```/g, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
  const files = targets.filter((target) => !/^(https?:|mailto:|#)/.test(target));
  return files.map((target) => join(dirname(page), target.replace(/#.*$/, '')));
}

/** The text between `// #region name` and its end, without the indentation that all its lines share. */
export function region(path: string, name: string): string {
  const text = readFileSync(join(root, path), 'utf8');
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.trim() === `// #region ${name}`);
  if (start < 0) throw new Error(`${path} has no region '${name}'.`);
  const end = lines.findIndex((line, at) => at > start && line.trim().startsWith('// #endregion'));
  const body = lines.slice(start + 1, end);
  const indents = body.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const shared = Math.min(...indents);
  return body
    .map((line) => line.slice(shared))
    .join('\n')
    .trim();
}
