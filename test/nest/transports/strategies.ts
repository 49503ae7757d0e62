import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { namedPipe } from '@nestjs-orchestrator/transports';
import { temporaryFolder } from '../../transports/named-pipe/support.js';

/** A transport of which each endpoint gets its own. */
export interface Strategy {
  readonly name: string;
  open(): { transport(maxFrameBytes?: number): Transport; close(): void };
}

/** Every transport whose endpoints can stand in one process. */
export const strategies: readonly Strategy[] = [
  {
    name: 'memory',
    open: () => {
      const networks = new Map<number, ReturnType<typeof memoryNetwork>>();
      return {
        transport: (maxFrameBytes = 1_000_000) => {
          const network = networks.get(maxFrameBytes) ?? memoryNetwork({ maxFrameBytes });
          networks.set(maxFrameBytes, network);
          return memoryTransport(network);
        },
        close: () => undefined,
      };
    },
  },
  {
    name: 'named pipe',
    open: () => {
      const { path, remove } = temporaryFolder();
      return {
        transport: (maxFrameBytes = 1_000_000) => namedPipe({ directory: path, maxFrameBytes, leaveMs: 200 }),
        close: remove,
      };
    },
  },
];
