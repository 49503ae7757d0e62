import { isIPv4, isIPv6 } from 'node:net';

/** 16-bit groups of an IPv6 address that one customer usually has: a /64. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * What a client can't change at will: its IPv4 address, or the /64 network of its IPv6 address, of which it has all 2^64 addresses. Other
 * texts stay as they are.
 */
export function clientNetwork(address: string): string {
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const [bare = ''] = address.split('%');
  if (!isIPv6(bare)) return address;
  const groups = groupsOf(bare).slice(0, NETWORK_GROUPS);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** The first groups written out; what `::` leaves out are zeros. */
function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  if (tail === undefined) return before;
  const after = tail === '' ? [] : tail.split(':');
  // A dotted end stands for two groups.
  const length = before.length + after.length + (after.at(-1)?.includes('.') === true ? 1 : 0);
  return [...before, ...Array.from({ length: GROUPS - length }, () => '0'), ...after];
}
