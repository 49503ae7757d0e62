import { defineConfig } from 'vitest/config';
import { PlainReporter } from './scripts/plain-reporter.js';

const source = '@nestjs-orchestrator/source';

/** Real brokers, each started by the file that needs it: apart from the other tests, since a broker takes its time to start. */
export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source] } },
  test: {
    include: ['test/brokers/*.brokers.ts'],
    reporters: ['default', new PlainReporter()],
    // Only there to end a hang: machines may be busy.
    hookTimeout: 300_000,
    testTimeout: 300_000,
  },
});
