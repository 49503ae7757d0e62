import { createOrchestrator } from '@nestjs-orchestrator/core';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { orchestratorFamilyConformance } from '@nestjs-orchestrator/testing';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

let clusters = 0;

/** Each case has a folder, and a cluster, of its own. */
function casesOf(type: string, transportIn: (directory: string) => Transport) {
  return orchestratorFamilyConformance({
    async open() {
      const directory = await mkdtemp(join(tmpdir(), 'family-'));
      const cluster = `family-${process.pid}-${(clusters += 1)}`;
      return {
        create: (options) =>
          createOrchestrator({ ...options, cluster, type, transports: { [type]: transportIn(directory) } }),
        close: () => rm(directory, { recursive: true, force: true }),
      };
    },
  });
}

describe('createOrchestrator over named pipes', () => {
  it.each(casesOf('named-pipe', (directory) => namedPipe({ directory })))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('createOrchestrator over shared memory', () => {
  it.each(casesOf('shared-memory', (directory) => sharedMemory({ directory })))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
