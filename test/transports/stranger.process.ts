// Tries to join where another user's cluster is; started as root, which it gives up first.
import { createOrchestrator } from '@nestjs-orchestrator/core';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';

const TRANSPORTS = { 'named-pipe': namedPipe, 'shared-memory': sharedMemory };
const { type, directory, cluster } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly type: keyof typeof TRANSPORTS;
  readonly directory: string;
  readonly cluster: string;
};
/** The user `nobody`, of whom nothing is here. */
const NOBODY = 65_534;
process.setgroups?.([]);
process.setgid?.(NOBODY);
process.setuid?.(NOBODY);

const transports = { [type]: TRANSPORTS[type]({ directory }) };
createOrchestrator({ cluster, endpoint: 'stranger', type, transports }).then(
  () => process.send?.({ joined: true }),
  (error: unknown) => {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    process.send?.({ code, message });
    process.disconnect();
  },
);
