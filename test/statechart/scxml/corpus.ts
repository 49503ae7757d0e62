import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The scripted tests of SCION and W3C as npm's @scion-scxml/test-framework ships them. */
const root = join(
  dirname(createRequire(import.meta.url).resolve('@scion-scxml/test-framework/package.json')),
  'test',
);

export interface Script {
  readonly initialConfiguration: readonly string[];
  readonly events: readonly {
    readonly after?: number;
    readonly event: { readonly name: string; readonly data?: unknown };
    readonly nextConfiguration: readonly string[];
  }[];
}

export interface CorpusTest {
  /** `basic/basic1`. */
  readonly name: string;
  readonly document: string;
  readonly script: Script;
  readonly read: (uri: string) => string;
}

export function corpus(): CorpusTest[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => testsIn(name));
}

function testsIn(folder: string): CorpusTest[] {
  return readdirSync(join(root, folder))
    .filter(
      (file) => file.endsWith('.json') && existsSync(join(root, folder, file.replace(/json$/, 'scxml'))),
    )
    .map((file) => ({
      name: `${folder}/${file.replace(/\.json$/, '')}`,
      document: readFileSync(join(root, folder, file.replace(/json$/, 'scxml')), 'utf8'),
      script: JSON.parse(readFileSync(join(root, folder, file), 'utf8')) as Script,
      read: (uri: string) => readFileSync(join(root, folder, uri.replace(/^file:/, '')), 'utf8'),
    }));
}
