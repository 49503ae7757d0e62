import { isWholeText } from '../machine-id.js';
import type { MachineAddress } from '../machine-ref.js';
import { MachineAddressError } from './cluster-errors.js';

const LONGEST_NAME = 100;
/** Control characters have no place in names that end up in logs, paths and keys. */
const LOWEST_CODE = 0x20;

/** An address with all its parts. */
export type FullAddress = Required<MachineAddress> & { readonly group: string };

/**
 * Whether a text can be the name of a cluster, of a group that belongs to one, or of a process: 1 to 100 characters, no `/`, no `#`, no
 * control characters, no halves of characters.
 */
export function isClusterName(name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) return false;
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at);
    if (code < LOWEST_CODE || code === 0x7f || name[at] === '/' || name[at] === '#') return false;
  }
  return isWholeText(name);
}

/** `cluster/group/machine`, as {@link parseMachineAddress} reads it. The machine's id may hold slashes, the other two can't. */
export function formatMachineAddress({ cluster, group, machine }: FullAddress): string {
  return `${cluster}/${group}/${machine}`;
}

/**
 * Reads `cluster/group/machine`. All three parts must be there.
 *
 * @throws MachineAddressError
 */
export function parseMachineAddress(text: string): FullAddress {
  const first = text.indexOf('/');
  const second = text.indexOf('/', first + 1);
  if (first < 0 || second < 0) throw new MachineAddressError(text);
  const [cluster, group, machine] = [
    text.slice(0, first),
    text.slice(first + 1, second),
    text.slice(second + 1),
  ];
  if (!isClusterName(cluster) || !isClusterName(group) || machine === '' || machine.includes('#'))
    throw new MachineAddressError(text);
  return { cluster, group, machine };
}
