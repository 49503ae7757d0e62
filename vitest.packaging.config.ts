import { defineConfig } from 'vitest/config';
import { PlainReporter } from './scripts/plain-reporter.js';

/** Packs, installs and boots what `npm run build` left: apart from the other tests, which need no build. */
export default defineConfig({
  test: {
    include: ['test/packaging/*.packaging.ts'],
    reporters: ['default', new PlainReporter()],
    // Only there to end a hang: machines may be busy.
    hookTimeout: 300_000,
    testTimeout: 300_000,
  },
});
