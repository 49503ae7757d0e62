import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultFolder, folderFault } from '../private-folder.js';
import { ClusterFolder, PROTOCOL, TYPE } from './cluster-folder.js';
import { asDescriptor, asNameRecord } from './descriptor.js';
import { isAbsent, listed } from './files.js';
import { isListening } from './probe.js';

/** A process of a cluster of named pipes. */
export interface PipeProcess {
  readonly name: string;
  readonly pid: number;
  readonly incarnation: string;
  /** `dead`: nobody listens on its socket, and nobody has removed what it left yet. */
  readonly state: 'alive' | 'dead';
  /** Bytes of the largest frame. */
  readonly maxFrameBytes: number;
}

/** What `inspectPipes` tells of a cluster of named pipes. What waits between its processes is in their memory: `stats().cluster` of each tells it. */
export interface PipeReport {
  readonly cluster: string;
  readonly folder: string;
  readonly processes: readonly PipeProcess[];
  /** `holder`: the process; a name of a dead one is free. */
  readonly names: readonly {
    readonly name: string;
    readonly holder: string;
    readonly about: string;
    readonly state: 'alive' | 'dead';
  }[];
}

/** Options of `inspectPipes`. */
export interface InspectPipesOptions {
  /** As `directory` of `namedPipe`. */
  readonly directory?: string;
}

const HELD = '.held';

/**
 * Looks at a cluster of this user; nothing is changed, and nobody is held up: each process gets a connection that ends at once. `undefined` where there is none.
 *
 * @throws TransportUnavailableError where the folder is another user's, or open to others, or its processes are of another version
 */
export async function inspectPipes(
  cluster: string,
  { directory = defaultFolder() }: InspectPipesOptions = {},
): Promise<PipeReport | undefined> {
  const folder = ClusterFolder.of(directory, cluster);
  for (const path of [directory, folder.path]) {
    const problem = await folderFault(path);
    if (problem === 'absent') return undefined;
    if (problem !== undefined)
      throw new TransportUnavailableError(
        TYPE,
        `the folder '${path}' ${problem}. Give another one in 'directory'.`,
      );
  }
  const endpoints = await heldIn(folder.endpoints);
  const states = new Map<string, 'alive' | 'dead'>();
  await Promise.all(
    endpoints.map(async ({ incarnation }) => {
      states.set(incarnation, (await isListening(folder.socketOf(incarnation))) ? 'alive' : 'dead');
    }),
  );
  const stateOf = (incarnation: string): 'alive' | 'dead' => states.get(incarnation) ?? 'dead';
  const processes = endpoints.map(({ content, incarnation }) => processOf(content, stateOf(incarnation)));
  const names = (await heldIn(folder.names)).flatMap(({ content, incarnation }) => {
    const record = asNameRecord(content);
    if (record === undefined) return [];
    return [
      { name: record.name, holder: record.endpoint.name, about: record.about, state: stateOf(incarnation) },
    ];
  });
  if (processes.length === 0) return undefined;
  return { cluster, folder: folder.path, processes: processes.sort(byName), names: names.sort(byName) };
}

/** @throws TransportUnavailableError for one of another version */
function processOf(content: unknown, state: 'alive' | 'dead'): PipeProcess {
  const found = asDescriptor(content);
  if (found === undefined) {
    const { protocol } = (content ?? {}) as { readonly protocol?: unknown };
    throw new TransportUnavailableError(
      TYPE,
      `a process of this cluster speaks version ${String(protocol)} of the protocol, and this one reads ${PROTOCOL}. Use the release that its processes run.`,
    );
  }
  const { name, pid, incarnation, maxFrameBytes } = found;
  return { name, pid, incarnation, state, maxFrameBytes };
}

/** What is held, by whom, and what was written down with it. */
async function heldIn(
  folder: string,
): Promise<readonly { readonly incarnation: string; readonly content: unknown }[]> {
  const found: { incarnation: string; content: unknown }[] = [];
  for (const key of await listed(folder)) {
    for (const file of await listed(join(folder, key))) {
      if (!file.endsWith(HELD)) continue;
      const text = await contentOf(join(folder, key, file));
      if (text !== undefined) found.push({ incarnation: file.slice(0, -HELD.length), content: parsed(text) });
    }
  }
  return found;
}

/** Nothing where it was given back in between. */
async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  one.name < other.name ? -1 : 1;
