import { joinedBuild, knownSaga, type Build } from '@nestjs-orchestrator/core/internal';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError } from '../errors.js';
import type { Surroundings } from '../surroundings.js';
import { wanted } from '../wanted.js';
import { behavioursIn, moduleIn } from './exported.js';

/** Where a build is read from. */
export interface BuildFiles {
  /** Files of Nest modules; with `#Name` of the export, if there are several. */
  readonly modules: readonly string[];
  /** Files that export sagas. */
  readonly sagas: readonly string[];
  /** Further destinations that are served. */
  readonly serves: readonly string[];
}

/**
 * What the named files have: sagas, handlers, ways out.
 *
 * @throws CommandError for a file that can't be used
 */
export async function loadBuild(files: BuildFiles, around: Surroundings): Promise<Build> {
  const builds: Build[] = [{ sagas: [], handlers: [], remotes: [], served: files.serves }];
  for (const file of files.modules) builds.push(await fromModule(file, around));
  for (const file of files.sagas) builds.push(await fromSagas(file, around));
  return joinedBuild(builds);
}

async function fromModule(given: string, around: Surroundings): Promise<Build> {
  const { describeApplication } = await wanted(
    '@nestjs-orchestrator/nest',
    () => import('@nestjs-orchestrator/nest'),
  );
  const [file = '', name] = given.split('#');
  const { sagas, handlers, egress } = await describeApplication(
    moduleIn(await exportsOf(file, around), file, name),
  );
  return { sagas: sagas.map(knownSaga), handlers, remotes: egress, served: [] };
}

async function fromSagas(file: string, around: Surroundings): Promise<Build> {
  const behaviours = behavioursIn(await exportsOf(file, around), file);
  return { sagas: behaviours.map(knownSaga), handlers: [], remotes: [], served: [] };
}

async function exportsOf(file: string, { cwd }: Surroundings): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(cwd, file);
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      `${file} can't be loaded: ${reason}. Give the compiled file of the module, with the environment that it needs.`,
      { cause },
    );
  }
}
