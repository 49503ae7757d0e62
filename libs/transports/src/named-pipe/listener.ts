import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { TYPE, type ClusterFolder } from './cluster-folder.js';
import { codeOf } from './files.js';

/** A folder can vanish that often while a socket is made in it; more often something else is the matter. */
const ATTEMPTS = 50;
/** Where the folder of a socket is gone; libuv makes the first of the second. */
const REMOVED: ReadonlySet<string | undefined> = new Set(['EACCES', 'ENOENT']);

/** The socket on which an endpoint is found. */
export class Listener {
  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
    private readonly path: string,
  ) {}

  /** @throws TransportUnavailableError */
  static async open(
    folder: ClusterFolder,
    incarnation: string,
    onSocket: (socket: Socket) => void,
    onFault: (error: Error) => void,
  ): Promise<Listener> {
    const sockets = new Set<Socket>();
    const path = folder.socketOf(incarnation);
    const accept = (socket: Socket): void => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      onSocket(socket);
    };
    for (let attempt = 1; ; attempt += 1) {
      const server = createServer(accept);
      try {
        await bound(server, folder.unbornSocketOf(incarnation), path);
        server.on('error', onFault);
        return new Listener(server, sockets, path);
      } catch (error) {
        server.close();
        if (attempt === ATTEMPTS || !REMOVED.has(codeOf(error))) throw unavailable(path, error);
        // Somebody who left took the empty folder along, or took the socket for one of a dead process before it listened.
        await folder.make();
      }
    }
  }

  /** Nobody comes in any more. */
  stop(): void {
    this.server.close();
  }

  /** Ends what has come in, and gives the name back. */
  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    if (process.platform !== 'win32') await rm(this.path, { force: true });
  }
}

/** Under its own name it answers from the first moment on, so that one that does not is dead. */
async function bound(server: Server, unborn: string, path: string): Promise<void> {
  await listening(server, unborn);
  if (unborn !== path) await rename(unborn, path);
}

function unavailable(path: string, cause: unknown): TransportUnavailableError {
  return new TransportUnavailableError(
    TYPE,
    `no socket can be opened at '${path}'. See the cause; another folder can be given in 'directory'.`,
    { cause },
  );
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
