import { createOrchestrator } from '@nestjs-orchestrator/core';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProcess } from '../support/processes.js';
import { folderOfTest } from './named-pipe/support.js';

const TRANSPORTS = { 'named-pipe': namedPipe, 'shared-memory': sharedMemory };

const byText = (one: string, two: string): number => (one < two ? -1 : 1);

// Only root can become another user. Elsewhere modes and owners of folders are checked by `bad-input.spec.ts` and `refusals.spec.ts`.
describe.runIf(process.getuid?.() === 0).each(['named-pipe', 'shared-memory'] as const)(
  'another user at a cluster over %s',
  (type) => {
    async function refusedIn(directory: string, cluster: string): Promise<unknown> {
      return startProcess(import.meta.url, './stranger.process.ts', { type, directory, cluster }).next();
    }

    it('is refused with what stands in the way, and leaves nothing behind', async () => {
      const [directory, cluster] = [folderOfTest(), randomUUID()];
      const transports = { [type]: TRANSPORTS[type]({ directory }) };
      const one = await createOrchestrator({ cluster, endpoint: 'one', type, transports });
      onTestFinished(() => one.release());
      const files = readdirSync(directory, { recursive: true }).map(String).toSorted(byText);
      const message = expect.stringMatching(/belongs to user 0, not to 65534.*directory/) as string;
      expect(await refusedIn(directory, cluster)).toEqual({ code: 'TRANSPORT_UNAVAILABLE', message });
      expect(readdirSync(directory, { recursive: true }).map(String).toSorted(byText)).toEqual(files);
      expect(one.processes().map(({ endpoint }) => endpoint)).toEqual(['one']);
    });

    it('is refused where it may make no folder', async () => {
      const directory = folderOfTest();
      const message = expect.stringMatching(/EACCES/) as string;
      const refused = await refusedIn(join(directory, 'below'), randomUUID());
      expect(refused).toEqual({ code: 'TRANSPORT_UNAVAILABLE', message });
      expect(readdirSync(directory)).toEqual([]);
    });
  },
);
