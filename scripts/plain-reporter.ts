import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** What a run came to. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts tests; a file that could not be loaded and an error outside of any test are failures as well. */
export function tally(modules: readonly TestModule[], errors: readonly SerializedError[]): Tally {
  const sum: Tally = { passed: 0, failed: errors.length, skipped: 0 };
  for (const module of modules) {
    sum.failed += module.errors().length;
    for (const suite of module.children.allSuites()) sum.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      sum[state === 'pending' ? 'failed' : state] += 1;
    }
  }
  return sum;
}

/** The plain closing line of a run, which machines read. */
export function closingLine({ passed, failed, skipped }: Tally, exitCode = 0): string {
  // A run may fail without a failing test, by coverage below its floor or a set-up that broke.
  const failures = failed === 0 && exitCode !== 0 ? 1 : failed;
  return `${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Prints `N passed, N failed` as the very last line: at exit, since the coverage table and the
 * global tear-down print after the last reporter hook.
 */
export class PlainReporter implements Reporter {
  #tally: Tally = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once('exit', (code) => process.stdout.write(`${closingLine(this.#tally, code)}\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    this.#tally = tally(modules, errors);
  }
}
