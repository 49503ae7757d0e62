import type { Finding, KnownSaga } from '@nestjs-orchestrator/core/internal';
import type { CensusLine } from '@nestjs-orchestrator/core/ports';

/** A comparison of a build with a store. */
export interface Checked {
  /** Kind of the store. */
  readonly store: string;
  readonly sagas: readonly KnownSaga[];
  readonly census: readonly CensusLine[];
  readonly findings: readonly Finding[];
}

/** What was found, for people. */
export function reportText({ store, sagas, census, findings }: Checked): string {
  const build = sagas.map(({ saga, version }) => `${saga} v${version}`).join(', ') || 'no sagas';
  const start = `Checked ${build} against the ${store} store: ${contents(census)}.\n`;
  if (findings.length === 0) return `${start}The build can continue all of it.\n`;
  const lines = findings.map(({ kind, message }) => `\n  ${kind}\n    ${message}\n`);
  const things = findings.length === 1 ? '1 thing' : `${findings.length} things`;
  return `${start}${lines.join('')}\n${things} that the build can't continue.\n`;
}

function contents(census: readonly CensusLine[]): string {
  const count = (kind: CensusLine['kind']): number =>
    census.reduce((sum, line) => (line.kind === kind ? sum + line.count : sum), 0);
  return `${count('instances')} living instances, ${count('undo')} open undo steps, ${count('timers')} timers, ${count('work')} messages`;
}
