// An application that owns an embedded Postgres: starts it, tells how it went, and stops it when told so.
import { startEmbeddedPostgres, type EmbeddedPostgresOptions } from '@nestjs-orchestrator/embedded-postgres';

const options = JSON.parse(process.argv[2] ?? '{}') as EmbeddedPostgresOptions;

try {
  const server = await startEmbeddedPostgres({
    ...options,
    onProgress: (line) => process.send?.({ progress: line }),
  });
  process.on('message', (command) => {
    if (command === 'exit') process.exit(0);
    void server.stop().then(() => process.disconnect());
  });
  const { url, port, pid, stoppedOrphan } = server;
  process.send?.({ started: { url, port, pid, stoppedOrphan } });
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  process.send?.({ failed: { code, message } });
  process.disconnect();
}
