import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Specs that take longer than their length tells, the longest first: begun late, they would run alone at the end. */
const LONG = [
  'test/transports/faults.spec.ts',
  'test/statechart/differential.spec.ts',
  'test/sample/payment-process.spec.ts',
  'test/traps/traps.spec.ts',
  'test/simulation/simulation.spec.ts',
  'test/fault/',
  'test/embedded-postgres/',
  'test/testing/runners.spec.ts',
  'test/redis/streams-faults.spec.ts',
  'test/conformance/',
];

/** Projects as they follow each other: a worker serves the files of one project, and ends where another begins. */
const PROJECTS = ['sample', 'integration', 'workspace', 'unit'];

/** Runs what takes long first, and then one project after the other. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    return bySize.sort((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId, project }: TestSpecification): number {
  const long = LONG.findIndex((path) => moduleId.includes(`/${path}`));
  return long === -1 ? LONG.length + PROJECTS.indexOf(project.name) : long;
}
