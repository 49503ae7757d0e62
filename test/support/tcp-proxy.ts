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
  /** Keeps what the server answers to the next request with that text, from when it is there until it is let go. */
  holdAnswerTo(text: string): { readonly held: Promise<void>; letGo(): void };
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
  let hold: AnswerHold | null = null;
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    let asked: AnswerHold | null = null;
    const pass = (bytes: Buffer, isRequest: boolean): void => {
      if (!isRequest) return void (asked === null ? client.write(bytes) : asked.take(client, bytes));
      if (hold !== null && bytes.includes(hold.text)) [asked, hold] = [hold, null];
      upstream.write(bytes);
    };
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes: Buffer) => {
        if (from === client && closes(bytes)) from.destroy();
        else if (broken === 'both' || broken === (from === client ? 'requests' : 'answers')) lose();
        else pass(bytes, from === client);
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
    holdAnswerTo: (text) => {
      const held = new AnswerHold(text);
      hold = held;
      return { held: held.reached, letGo: () => held.letGo() };
    },
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

/** Keeps what one connection is answered. */
class AnswerHold {
  readonly reached: Promise<void>;
  private isReached = (): void => {};
  private readonly kept: (() => void)[] = [];
  private open = false;

  constructor(readonly text: string) {
    this.reached = new Promise((resolve) => (this.isReached = resolve));
  }

  take(to: Socket, bytes: Buffer): void {
    if (this.open) return void to.write(bytes);
    this.kept.push(() => void to.write(bytes));
    this.isReached();
  }

  letGo(): void {
    this.open = true;
    for (const pass of this.kept.splice(0)) pass();
  }
}
