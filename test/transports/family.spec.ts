import { createOrchestrator } from '@nestjs-orchestrator/core';
import { orchestratorFamilyConformance } from '@nestjs-orchestrator/testing';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { familyProcesses } from '../support/family-processes.js';
import type { FamilyPlace } from './family.process.js';

const TRANSPORTS = { 'named-pipe': namedPipe, 'shared-memory': sharedMemory };
let clusters = 0;

describe.each(['named-pipe', 'shared-memory'] as const)('createOrchestrator over %s', (type) => {
  /** Each case has a folder, and a cluster, of its own. */
  const cases = orchestratorFamilyConformance({
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'family-'));
      const cluster = `family-${process.pid}-${(clusters += 1)}`;
      const transports = { [type]: TRANSPORTS[type]({ directory }) };
      return {
        place: { cluster, directory } satisfies FamilyPlace,
        create: (options) => createOrchestrator({ ...options, cluster, type, transports }),
        close: () => rm(directory, { recursive: true, force: true }),
      };
    },
    start: familyProcesses(import.meta.url, './family.process.ts', { type }),
  });

  it.each(cases)('between processes: $name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
