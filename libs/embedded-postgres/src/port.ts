import { createServer, type AddressInfo } from 'node:net';
import { EmbeddedPostgresError, systemCode } from './errors.js';

/** A port that nothing listened on a moment ago. */
export async function freePort(host: string): Promise<number> {
  return listenBriefly(host, 0);
}

/** Throws `EMBEDDED_POSTGRES_PORT_TAKEN` when the port can't be listened on. */
export async function requirePort(host: string, port: number): Promise<void> {
  try {
    await listenBriefly(host, port);
  } catch (cause) {
    throw portTaken(host, port, cause);
  }
}

/** The error for a port that was asked for and can't be had. */
export function portTaken(host: string, port: number, cause?: unknown): EmbeddedPostgresError {
  const why =
    systemCode(cause) === 'EACCES' ? 'needs more rights than this user has' : 'is taken by another program';
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_PORT_TAKEN',
    `The port ${port} on ${host} ${why}, so the embedded Postgres can't listen there. ` +
      'Stop that program, ask for another port, or leave the port out for a free one.',
    { host, port },
    { cause, retryable: true },
  );
}

function listenBriefly(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const { port: found } = server.address() as AddressInfo;
      server.close(() => resolve(found));
    });
  });
}
