// Looks at another user's cluster; started as root, which it gives up first.
import { inspectPipes } from '@nestjs-orchestrator/transports';

const { directory } = JSON.parse(process.argv[2] ?? '{}') as { readonly directory: string };
/** The user `nobody`, of whom nothing is here. */
const NOBODY = 65_534;
process.setgroups?.([]);
process.setgid?.(NOBODY);
process.setuid?.(NOBODY);

inspectPipes('test', { directory }).then(
  (report) => process.send?.(report ?? 'nothing'),
  (error: unknown) => process.send?.(String(error)),
);
