import { checkCensus } from '@nestjs-orchestrator/core/internal';
import { loadBuild, type BuildFiles } from '../build/load-build.js';
import { CommandError } from '../errors.js';
import { reportText } from '../output/report-text.js';
import { withStore } from '../store/open-store.js';
import { storeOptions, storeAddress, type StoreFlags } from '../store/store-flags.js';
import type { AddCommand } from './command.js';

interface CheckFlags extends StoreFlags {
  readonly module?: readonly string[];
  readonly sagas?: readonly string[];
  readonly serves?: readonly string[];
  readonly json?: true;
}

const HELP = `
Every application that shares the store has to be named, or what is its own is reported: give --module once for each.

Exit code: 0 the build can continue everything, 1 something is left that it can't, 2 the check could not be done.

Examples:
  $ orchestrator check --module dist/app.module.js --postgres postgres://localhost/shop
  $ REDIS_URL=redis://localhost orchestrator check --module dist/app.module.js#AppModule --json`;

/** `orchestrator check`: compares a build with what lives in a store, before it is deployed. */
export const checkCommand: AddCommand = (program, around, ended) => {
  const command = program
    .command('check')
    .summary('tell what of a live store a build could not continue')
    .description(
      'Compares a build with a live store: instances, undo steps and timers whose saga, version, state, compensation or time-out the build does not know, and messages that nobody in it would take. Changes nothing.',
    )
    .option('-m, --module <file...>', 'file of an application’s Nest module; FILE#Name if it exports several')
    .option('-s, --sagas <file...>', 'file that exports sagas without Nest: what buildSaga() or steps() made')
    .option(
      '--serves <destination...>',
      'what is served elsewhere, as it stands in the outbox: handler:Payments.charge',
    )
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', HELP);
  storeOptions(command).action(async (flags: CheckFlags) => {
    const address = storeAddress(flags, around);
    const build = await loadBuild(filesOf(flags), around);
    const census = await withStore(address, (store) => store.census());
    const findings = checkCensus(census, build);
    const checked = { store: address.kind, sagas: build.sagas, census, findings };
    around.out(flags.json === true ? `${JSON.stringify(jsonOf(checked))}\n` : reportText(checked));
    ended(findings.length === 0 ? 0 : 1);
  });
};

function filesOf({ module = [], sagas = [], serves = [] }: CheckFlags): BuildFiles {
  if (module.length + sagas.length === 0)
    throw new CommandError(
      'Say what to check: --module dist/app.module.js (a Nest application), or --sagas dist/sagas.js.',
    );
  return { modules: module, sagas, serves };
}

function jsonOf({ store, sagas, census, findings }: Parameters<typeof reportText>[0]): object {
  return {
    ok: findings.length === 0,
    store,
    sagas: sagas.map(({ saga, version }) => ({ saga, version })),
    findings,
    census,
  };
}
