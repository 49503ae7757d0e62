import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { ClusterFiles } from './cluster-files.js';
import { segmentNameOf } from './cluster-names.js';
import type { Posix } from './posix.js';
import { SegmentFile } from './segment-file.js';

/** Removes the memory of clusters of this user of which nobody lives. What is locked just now is left to the next one. */
export function sweepDeadClusters(posix: Posix, directory: string, own: string): void {
  for (const folder of readdirSync(directory)) {
    const [, hash] = /^shm-([\da-f]{12})$/.exec(folder) ?? [];
    const path = join(directory, folder);
    if (hash === undefined || path === own || !existsSync(join(path, 'lock'))) continue;
    // Whoever leaves or is removed takes its files along: without any there is nothing to remove.
    if (readdirSync(path).length < 2) continue;
    const files = new ClusterFiles(posix, path);
    try {
      files.tryExclusively(() => {
        if (!files.isAnybodyAlive()) SegmentFile.sweep(posix, segmentNameOf(hash), files.identity);
      });
    } catch (error) {
      // Another user's or a foreign file: not ours to remove, and no reason not to join another cluster.
      if (!(error instanceof TransportUnavailableError)) throw error;
    } finally {
      files.close();
    }
  }
}
