// Joins a cluster, takes a name, says so, and stays until it is killed.
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { namedPipe } from '@nestjs-orchestrator/transports';

const { directory, cluster } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly directory: string;
  readonly cluster: string;
};

const seat = await namedPipe({ directory }).join(
  { cluster, endpoint: 'member', clock: systemClock, logger: silentLogger },
  { onFrame: () => undefined, onPeer: () => undefined },
);
await seat.claim('name of member', 'about it');
process.send?.('joined');
