import { readdir, rmdir } from 'node:fs/promises';

/** The names in a folder; none where there is no such folder, or a file in its place. */
export async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsent(error) || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Removes a folder if it is empty and there, and is one. */
export async function removeEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (!OCCUPIED.has(codeOf(error))) throw error;
  });
}

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
export const isAbsent = (error: unknown): boolean => codeOf(error) === 'ENOENT';

const OCCUPIED: ReadonlySet<string | undefined> = new Set([
  'ENOTEMPTY',
  'EEXIST',
  'ENOENT',
  'EPERM',
  'ENOTDIR',
]);
