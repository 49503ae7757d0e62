// Joins a cluster of two and tells of the other one. When it is told to, it sends that one a frame and leaves, with nothing else that keeps it running.
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { namedPipe } from '@nestjs-orchestrator/transports';

const { directory, leaveMs } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly directory: string;
  readonly leaveMs: number;
};

const seat = await namedPipe({ directory, leaveMs }).join(
  { cluster: 'test', endpoint: 'leaver', clock: systemClock, logger: silentLogger },
  { onFrame: () => undefined, onPeer: () => undefined },
);
const [other] = seat.peers();
// Unless it gets to its end.
process.exitCode = 1;
process.once('message', () => {
  if (other !== undefined) seat.trySend(other.endpoint, new Uint8Array(1));
  process.disconnect();
  void seat.leave().then(() => (process.exitCode = 0));
});
process.send?.(other?.endpoint.incarnation);
