/** Decorators of one method run from bottom to top; people read them from top to bottom. */
export function inReadingOrder<M extends { readonly key: string | symbol }>(
  members: readonly M[],
): readonly M[] {
  const byMethod = new Map<string | symbol, M[]>();
  for (const member of members) byMethod.set(member.key, [member, ...(byMethod.get(member.key) ?? [])]);
  return [...byMethod.values()].flat();
}
