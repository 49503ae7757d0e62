import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { ClusterFiles } from './cluster-files.js';
import { segmentNameOf } from './cluster-names.js';
import type { Posix } from './posix.js';
import { SegmentFile } from './segment-file.js';

/** Removes memory and folders of clusters of this user of which nobody lives. What is locked just now is left to the next one. */
export function sweepDeadClusters(posix: Posix, directory: string, own: string): void {
  for (const folder of readdirSync(directory)) {
    const [, hash] = /^shm-([\da-f]{12})$/.exec(folder) ?? [];
    const path = join(directory, folder);
    if (hash === undefined || path === own) continue;
    if (!existsSync(join(path, 'lock'))) {
      removeEmpty(path);
      continue;
    }
    const files = new ClusterFiles(posix, path);
    try {
      sweepCluster(posix, files, segmentNameOf(hash));
    } finally {
      files.close();
    }
  }
}

/** Removes memory and folder of one cluster, if nobody lives in it and nobody has its lock. */
export function sweepCluster(posix: Posix, files: ClusterFiles, segment: string): void {
  try {
    files.tryExclusively(() => {
      if (files.isAnybodyAlive()) return;
      try {
        SegmentFile.sweep(posix, segment, files.identity);
      } finally {
        files.dissolve();
      }
    });
  } catch (error) {
    // Another user's or a foreign file: not ours to remove, and no reason not to join another cluster.
    if (!(error instanceof TransportUnavailableError)) throw error;
  }
}

/** Whoever took it along was killed in the middle, or somebody makes it just now and will find it gone. */
function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It is not empty, or gone: not ours to remove.
  }
}
