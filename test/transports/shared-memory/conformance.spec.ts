import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransportSeat } from '@nestjs-orchestrator/core/ports';
import { transportConformance } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { sharedMemory } from '../../../libs/transports/src/shared-memory/shared-memory.js';
import type { SharedSeat } from '../../../libs/transports/src/shared-memory/seat/shared-seat.js';

const standing = new Map<TransportSeat, () => void>();
const asOurs = (seat: TransportSeat) => seat as SharedSeat;

const cases = transportConformance(
  {
    open: async (small) => {
      const directory = await mkdtemp(join(tmpdir(), 'shm-conformance-'));
      const limits = small && { maxEndpoints: small.endpoints, maxNames: small.names };
      return {
        clusters: [randomUUID(), randomUUID()],
        transport: () => sharedMemory({ directory, heartbeatMs: 20, laneBytes: 65_536, ...limits }),
        kill: async (seat) => asOurs(seat).abandon(),
        stall: async (seat) => void standing.set(seat, asOurs(seat).standStill()),
        resume: async (seat) => standing.get(seat)?.(),
        close: () => rm(directory, { recursive: true }),
      };
    },
  },
  { kill: true, stall: true },
);

describe('shared memory', () => {
  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
