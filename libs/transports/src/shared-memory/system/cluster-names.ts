import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Short, since macOS allows 31 characters for the name of a shared object. */
const clusterHash = (cluster: string): string =>
  createHash('sha256').update(cluster).digest('hex').slice(0, 12);

/** Name of the shared object of a cluster with this hash: one for each user. */
export const segmentNameOf = (hash: string): string => `/xorc-${process.getuid?.() ?? 0}-${hash}`;

/** Name of a cluster's shared object. */
export const segmentName = (cluster: string): string => segmentNameOf(clusterHash(cluster));

/** Folder of a cluster's lock, signs of life and doorbells. */
export const clusterFolder = (directory: string, cluster: string): string =>
  join(directory, `shm-${clusterHash(cluster)}`);
