import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './scripts/longest-first.js';
import { PlainReporter } from './scripts/plain-reporter.js';
import { slowAwaits } from './scripts/uneven/slow-awaits.js';

/** Workspace packages resolve to their sources, so that no test needs a build. */
const source = '@nestjs-orchestrator/source';

/** Checks of the workspace itself: they read files and need no server. */
const workspace = ['architecture', 'packaging', 'tooling'].map((folder) => `test/${folder}/**/*.spec.ts`);

/** Several libs together, but no server: they run with the unit specs, and as often as wanted. */
const serverless = ['test/orchestrator/**/*.spec.ts', 'test/transports/**/*.spec.ts'];

/** The application with its time-outs from the environment, which it reads when it is loaded. */
const sample = ['test/sample/**/*.spec.ts'];

const servers = {
  globalSetup: ['test/support/postgres.global-setup.ts', 'test/support/redis.global-setup.ts'],
};

const shuffled = process.argv.some((argument) => argument.startsWith('--sequence.shuffle'));

/** See `npm run test:uneven`. */
const slowed = process.env['SLOW_AWAITS'];

export default defineConfig({
  ...(slowed === undefined ? {} : { plugins: [slowAwaits(slowed)] }),
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source] } },
  test: {
    ...(slowed === undefined ? {} : { setupFiles: ['scripts/uneven/slow.ts'] }),
    // Many specs wait for servers and processes: by default vitest would leave one of two cores idle.
    maxWorkers: Math.max(3, availableParallelism()),
    // A worker loads what many files import once. Files that disturb each other are a defect, which this shows.
    isolate: false,
    // Only there to end a hang: machines may be busy.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    sequence: shuffled ? {} : { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['libs/*/src/**/*.spec.ts', 'apps/*/src/**/*.spec.ts', ...serverless],
        },
      },
      { extends: true, test: { name: 'workspace', include: workspace } },
      {
        extends: true,
        test: {
          ...servers,
          name: 'integration',
          include: ['test/**/*.spec.ts'],
          exclude: [...workspace, ...serverless, ...sample],
        },
      },
      { extends: true, test: { ...servers, name: 'sample', include: sample, isolate: true } },
    ],
    reporters: ['default', new PlainReporter()],
    coverage: {
      include: ['libs/*/src/**/*.ts'],
      exclude: ['**/*.spec.ts'],
      reporter: ['text-summary', 'lcovonly'],
      thresholds: { lines: 85 },
    },
  },
});
