import { createServer } from 'node:net';

/** Another program listens on the port. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly code = 'PORT_TAKEN';
  constructor(
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(
      `Port ${port} is taken by another program. Stop that one, or choose another port: PORT=${port < 65_535 ? port + 1 : 3000} npm start`,
      options,
    );
  }
}

/**
 * Finds out early, before a database is started for nothing.
 *
 * @throws PortTakenError
 */
export async function requireFreePort(port: number): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(portError(port, error)));
    probe.listen(port, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

/** The clear form of an error of `listen`. */
export function portError(port: number, error: unknown): unknown {
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  return taken ? new PortTakenError(port, { cause: error }) : error;
}
