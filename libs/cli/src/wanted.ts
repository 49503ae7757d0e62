import { CommandError } from './errors.js';

/**
 * A package that only some commands need.
 *
 * @throws CommandError where it is not installed
 */
export async function wanted<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as { readonly code?: unknown } | null)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new CommandError(`This needs the package ${name}: npm install ${name}.`, { cause });
  }
}
