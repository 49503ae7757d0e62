import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { TYPE, type ClusterFolder } from './cluster-folder.js';

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
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      onSocket(socket);
    });
    const unborn = folder.unbornSocketOf(incarnation);
    const path = folder.socketOf(incarnation);
    try {
      await listening(server, unborn);
      // Under its own name it answers from the first moment on, so that one that does not is dead.
      if (unborn !== path) await rename(unborn, path);
    } catch (error) {
      server.close();
      throw new TransportUnavailableError(
        TYPE,
        `no socket can be opened at '${path}'. See the cause; another folder can be given in 'directory'.`,
        { cause: error },
      );
    }
    server.on('error', onFault);
    return new Listener(server, sockets, path);
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

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
