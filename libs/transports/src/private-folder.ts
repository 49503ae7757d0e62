import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';

const OTHERS_MAY = 0o077;
/** An empty folder may be removed by whoever leaves it, also while it is made: between two looks of `mkdir`, or behind it. */
const ATTEMPTS = 50;

/** Where local transports keep what the processes of one user share: `nestjs-orch-<uid>` in the system's folder for temporary files. */
export function defaultFolder(): string {
  return join(tmpdir(), `nestjs-orch-${process.getuid?.() ?? 'user'}`);
}

/**
 * Makes a folder that nobody but this user can enter, or finds it made. What is in it needs no further protection. Windows: the folder of the user's
 * profile has to give the same.
 *
 * @throws TransportUnavailableError where it is a link, somebody else's, open to others, or can't be made
 */
export async function privateFolder(transport: string, path: string, option = 'directory'): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const failure = await makingOf(path);
    const mayTryAgain = attempt < ATTEMPTS;
    if (failure !== undefined) {
      if (failure.code === 'ENOENT' && mayTryAgain) continue;
      throw new TransportUnavailableError(
        transport,
        `the folder '${path}' can't be made (${failure.code ?? 'no reason given'}). Give a folder of this user in '${option}'.`,
        { cause: failure },
      );
    }
    const problem = await folderFault(path);
    if (problem === undefined) return;
    if (problem === 'absent' && mayTryAgain) continue;
    throw new TransportUnavailableError(
      transport,
      `the folder '${path}' ${problem}. Remove it, or give another one in '${option}'.`,
    );
  }
}

/** Why a folder can't be made; nothing where it is there. */
async function makingOf(path: string): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** Why a folder is none that only this user can enter, as the end of a sentence; `absent`: there is none. */
export async function folderFault(path: string): Promise<string | undefined> {
  try {
    return await faultOf(path);
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code === 'ENOENT') return 'absent';
    if (code === 'EACCES') return "can't be entered by this user";
    throw error;
  }
}

async function faultOf(path: string): Promise<string | undefined> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return 'is a symbolic link, which might lead anywhere';
  if (!found.isDirectory()) return 'is no folder';
  const user = process.getuid?.();
  if (user === undefined) return undefined;
  if (found.uid !== user) return `belongs to user ${found.uid}, not to ${user}`;
  return (found.mode & OTHERS_MAY) === 0
    ? undefined
    : `is open to others (mode ${(found.mode & 0o777).toString(8)})`;
}
