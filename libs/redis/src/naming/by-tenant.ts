/** Rows by their tenant, in the order in which the tenants come up. */
export function byTenant<T extends { readonly tenant: string }>(
  rows: readonly T[],
): readonly (readonly [tenant: string, rows: readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row.tenant);
    if (group === undefined) groups.set(row.tenant, [row]);
    else group.push(row);
  }
  return [...groups];
}
