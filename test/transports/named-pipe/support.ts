import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import type {
  Clock,
  Endpoint,
  Logger,
  Peer,
  PeerState,
  TransportSeat,
} from '@nestjs-orchestrator/core/ports';
import { namedPipe, type NamedPipeOptions } from '@nestjs-orchestrator/transports';
import { onTestFinished } from 'vitest';

/** A folder for the sockets of one test; its path is short, since sockets' paths are. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'orch-np-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A folder that goes with the test. */
export function folderOfTest(): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
}

/** An endpoint and what it was told. */
export class Station {
  readonly frames: Uint8Array[] = [];
  readonly told: Peer[] = [];
  seat!: TransportSeat;
  private readonly watches = new Set<() => void>();
  /** Called with each frame; what it gives back holds the sender's next ones. */
  onFrame: (frame: Uint8Array) => void | Promise<void> = () => undefined;

  constructor(
    readonly name: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Leaves with the test. */
  async join(options: NamedPipeOptions, logger: Logger = silentLogger, cluster = 'test'): Promise<this> {
    this.seat = await namedPipe({ leaveMs: 200, ...options }).join(
      { cluster, endpoint: this.name, clock: this.clock, logger },
      {
        onFrame: (_from, frame) => {
          this.frames.push(frame);
          const held = this.onFrame(frame);
          this.ring();
          return held;
        },
        onPeer: (peer) => {
          this.told.push(peer);
          this.ring();
        },
      },
    );
    onTestFinished(() => this.seat.leave());
    return this;
  }

  statesOf(name: string): PeerState[] {
    return this.told.filter(({ endpoint }) => endpoint.name === name).map(({ state }) => state);
  }

  /** The newest endpoint of that name, when it was told of it in that state last; of an older one it may hear after that. */
  async sees(name: string, state: PeerState): Promise<Endpoint> {
    const newest = (): Peer | undefined => {
      const named = this.told.filter(({ endpoint }) => endpoint.name === name);
      const last = [...new Set(named.map(({ endpoint }) => endpoint.incarnation))].at(-1);
      return named.findLast(({ endpoint }) => endpoint.incarnation === last);
    };
    await this.until(() => newest()?.state === state);
    return newest()?.endpoint as Endpoint;
  }

  /** Settles when a condition holds, which is looked at whenever something was told. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.watches.delete(look);
        resolve();
      };
      this.watches.add(look);
      look();
    });
  }

  private ring(): void {
    for (const watch of this.watches) watch();
  }
}

/** The sockets that this process connects from now on, to be broken under those who use them. */
export function connections(): { breakAll(): number } {
  const made = new Set<Socket>();
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    made.add(socket);
    socket.once('close', () => made.delete(socket));
  };
  channel('net.client.socket');
  subscribe('net.client.socket', onSocket);
  onTestFinished(() => void unsubscribe('net.client.socket', onSocket));
  return {
    breakAll: () => {
      const count = made.size;
      for (const socket of made) socket.destroy();
      return count;
    },
  };
}

export function numbered(number: number, bytes = 100): Buffer {
  const frame = Buffer.alloc(bytes, number & 0xff);
  frame.writeUInt32BE(number);
  return frame;
}

export const numberIn = (frame: Uint8Array): number =>
  Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).readUInt32BE();
