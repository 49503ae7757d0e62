import { defineConfig } from 'vitest/config';

/** Workspace packages resolve to their sources, so that no test needs a build. */
const source = '@nestjs-orchestrator/source';

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source] } },
  test: {
    include: ['libs/*/src/**/*.spec.ts', 'apps/*/src/**/*.spec.ts', 'test/**/*.spec.ts'],
  },
});
