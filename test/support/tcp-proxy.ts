import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What gets lost while a proxy is cut: what clients ask, what the server answers, or both. */
export type Lost = 'requests' | 'answers' | 'both';

/** Stands between clients and a server; while it is cut, bytes go nowhere and new connections hang, as on a broken network. */
export interface TcpProxy {
  readonly port: number;
  /** Default: `both`. */
  cut(lost?: Lost): void;
  /** Settles when it has lost so many pieces more. */
  loses(pieces: number): Promise<void>;
  /** Closes the connection on which a client sends that text, instead of passing it on, so many times. */
  closeAt(text: string, times: number): void;
  /** Closes all connections; new ones come through. */
  drop(): void;
  /** Connections that were there when it was cut are closed; new ones come through. */
  heal(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(serverPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let broken: Lost | undefined;
  let losses = 0;
  const waiting = new Set<() => void>();
  const lose = (): void => {
    losses += 1;
    for (const look of waiting) look();
  };
  let closing = { text: '', times: 0 };
  const closes = (bytes: Buffer): boolean => {
    if (closing.times === 0 || !bytes.includes(closing.text)) return false;
    closing = { ...closing, times: closing.times - 1 };
    return true;
  };
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes: Buffer) => {
        if (from === client && closes(bytes)) from.destroy();
        else if (broken === 'both' || broken === (from === client ? 'requests' : 'answers')) lose();
        else to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut: (lost = 'both') => void (broken = lost),
    loses: (pieces) =>
      new Promise((resolve) => {
        const enough = losses + pieces;
        const look = (): void => {
          if (losses < enough) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      }),
    closeAt: (text, times) => void (closing = { text, times }),
    drop,
    heal: () => {
      drop();
      broken = undefined;
    },
    close: async () => {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}
