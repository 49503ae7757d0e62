import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { root } from '../../support/workspace.js';

/** The sample as a program of its own, made from the sources as they are, so that no `npm run build` has to come first. */
export interface SampleBuild {
  readonly main: string;
  /** As `main`, but it kills itself at the fault point that `DIE_AT` names. */
  readonly mortal: string;
  /** A node without Nest that runs errands; it dies likewise. */
  readonly errand: string;
  readonly check: string;
  remove(): void;
}

const condition = '@nestjs-orchestrator/source';

/** Bundles the sample and the libs; takes about a second. It lies in the workspace, where the other packages are found. */
export async function buildSample(): Promise<SampleBuild> {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const outDir = mkdtempSync(join(cache, 'sample-'));
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    resolve: { conditions: [condition] },
    ssr: { noExternal: [/^@nestjs-orchestrator\//], resolve: { conditions: [condition] } },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: true,
      minify: false,
      target: 'node20',
      rolldownOptions: {
        input: {
          main: join(root, 'apps/sample/src/main.ts'),
          'payments.main': join(root, 'apps/sample/src/payments.main.ts'),
          mortal: join(root, 'test/fault/support/mortal.process.ts'),
          errand: join(root, 'test/fault/support/errand.process.ts'),
          check: join(root, 'apps/sample/src/check.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js' },
      },
    },
  });
  return {
    main: join(outDir, 'main.js'),
    mortal: join(outDir, 'mortal.js'),
    errand: join(outDir, 'errand.js'),
    check: join(outDir, 'check.js'),
    remove: () => rmSync(outDir, { recursive: true, force: true }),
  };
}
