const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The partition of a key: FNV-1a (Fowler, Noll, Vo) over its UTF-16 units. */
export function partitionOf(key: string | undefined, partitions: number): number {
  if (partitions === 1 || key === undefined) return 0;
  let hash = FNV_OFFSET;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), FNV_PRIME);
  return (hash >>> 0) % partitions;
}

/** The hash tag is what stands in the braces: keys with the same one lie on the same node of a cluster. */
function tag(prefix: string, name: string, partition: number): string {
  return `${prefix}:limiter:{${name}/${partition}}`;
}

/** Raised to fill all buckets of the partition at once. */
export function generationKey(prefix: string, name: string, partition: number): string {
  return `${tag(prefix, name, partition)}:generation`;
}

/** Buckets counted in other units are others: a changed limit with other fractions begins anew. */
export function bucketKey(
  prefix: string,
  name: string,
  partition: number,
  perToken: number,
  key: string | undefined,
): string {
  const bucket = `${tag(prefix, name, partition)}:${perToken}`;
  return key === undefined ? bucket : `${bucket}:${key}`;
}
