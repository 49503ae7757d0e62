import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

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

/** What failed, two lines for each: its name, and the first line of what it threw. */
export function failures(modules: readonly TestModule[], errors: readonly SerializedError[]): string[] {
  const found: string[] = [];
  for (const module of modules) {
    const of = module.relativeModuleId;
    for (const error of module.errors()) found.push(...failure(of, [error]));
    for (const suite of module.children.allSuites())
      for (const error of suite.errors()) found.push(...failure(`${of} > ${suite.fullName}`, [error]));
    for (const test of module.children.allTests()) found.push(...failureOf(test));
  }
  for (const error of errors) found.push(...failure('outside of any test', [error]));
  return found;
}

function failureOf(test: TestCase): readonly string[] {
  const { state, errors } = test.result();
  if (state !== 'failed' && state !== 'pending') return [];
  return failure(`${test.module.relativeModuleId} > ${test.fullName}`, errors);
}

function failure(name: string, thrown: readonly { readonly message: string }[] | undefined): string[] {
  const [line = ''] = stripVTControlCharacters(thrown?.[0]?.message ?? 'never ran').split('\n');
  return [`FAILED ${name}`, `       ${line.slice(0, 200)}`];
}

/** The plain closing line of a run, which machines read. */
export function closingLine({ passed, failed, skipped }: Tally, exitCode = 0): string {
  // A run may fail without a failing test, by coverage below its floor or a set-up that broke.
  const failures = failed === 0 && exitCode !== 0 ? 1 : failed;
  return `${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Prints what failed, and `N passed, N failed` as the very last line: at exit, since the coverage table
 * and the global tear-down print after the last reporter hook.
 */
export class PlainReporter implements Reporter {
  #tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  #failures: string[] = [];

  onInit(): void {
    process.once('exit', (code) => {
      const lines = [...this.#failures, closingLine(this.#tally, code)];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
  }

  /** As they come, for a run that is ended before its end. */
  onTestCaseResult(test: TestCase): void {
    this.#failures.push(...failureOf(test));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    this.#tally = tally(modules, errors);
    this.#failures = failures(modules, errors);
  }
}
