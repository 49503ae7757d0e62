import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterFolder, UNBORN } from './cluster-folder.js';
import { INCARNATION } from './descriptor.js';
import { listed } from './files.js';
import { isListening } from './probe.js';

/** Removes what the dead have left of a cluster, and the folders of other clusters of which nobody lives. */
export async function sweep(directory: string, own: ClusterFolder): Promise<void> {
  await removeDead(own);
  for (const folder of await ClusterFolder.all(directory)) {
    if (folder.path === own.path || (await isAnybodyAlive(folder))) continue;
    await removeDead(folder);
    await folder.dissolve();
  }
}

async function isAnybodyAlive(folder: ClusterFolder): Promise<boolean> {
  for (const incarnation of await incarnationsIn(folder))
    if (await isListening(folder.socketOf(incarnation))) return true;
  for (const socket of await unbornIn(folder)) if (await isListening(join(folder.path, socket))) return true;
  return false;
}

/**
 * Sockets and claims of incarnations that don't listen: none of them comes again. One that is just being born may lose its socket here before it listens under its
 * own name; it makes another one.
 */
async function removeDead(folder: ClusterFolder): Promise<void> {
  for (const incarnation of await incarnationsIn(folder)) {
    if (await isListening(folder.socketOf(incarnation))) continue;
    if (process.platform !== 'win32') await rm(folder.socketOf(incarnation), { force: true });
    for (const [path, holder] of await claimsIn(folder))
      if (holder === incarnation) await rm(path, { force: true });
  }
  for (const socket of await unbornIn(folder)) {
    const path = join(folder.path, socket);
    if (!(await isListening(path))) await rm(path, { force: true });
  }
  await folder.dissolveKeys();
}

/** Everybody who has left a trace: a socket, or a claim. */
async function incarnationsIn(folder: ClusterFolder): Promise<ReadonlySet<string>> {
  const sockets = (await listed(folder.path)).filter((name) => INCARNATION.test(name));
  const claims = await claimsIn(folder);
  return new Set([...sockets, ...claims.map(([, incarnation]) => incarnation)]);
}

async function unbornIn({ path }: ClusterFolder): Promise<readonly string[]> {
  const names = await listed(path);
  return names.filter((name) => name.endsWith(UNBORN) && INCARNATION.test(name.slice(0, -UNBORN.length)));
}

/** Files of claims, and whose they are. */
async function claimsIn({
  endpoints,
  names,
}: ClusterFolder): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const kind of [endpoints, names]) {
    for (const key of await listed(kind)) {
      for (const file of await listed(join(kind, key))) {
        const [incarnation = ''] = file.split('.');
        if (INCARNATION.test(incarnation)) found.push([join(kind, key, file), incarnation]);
      }
    }
  }
  return found;
}
