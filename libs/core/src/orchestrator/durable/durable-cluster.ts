/** What names the machines of a group in a cluster. */
interface Names {
  readonly cluster: string;
  readonly group: string;
  readonly tenant: string;
}

/**
 * The cluster in which the durable machines of a group live: `cluster/group`, and of a tenant that is not the default one `cluster/group#tenant`, the tenant encoded as in
 * addresses of the web and any `#` of the group doubled, so that no two have the same. Part of the stored format.
 */
export function durableCluster({ cluster, group, tenant }: Names): string {
  const base = `${cluster}/${group.replaceAll('#', '##')}`;
  return tenant === 'default' ? base : `${base}#${encodeURIComponent(tenant)}`;
}
