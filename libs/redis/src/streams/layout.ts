/** What the transport calls itself. */
export const TYPE = 'distributed';
/** Version of the layout of the keys. */
export const LAYOUT = '2';

/** What a cluster says of its keys: their layout, and how many partitions there are. */
export function settingsIn(found: string): { readonly layout: string; readonly partitions: number } {
  const [count, layout = '1'] = found.split('/').toReversed();
  return { layout, partitions: Number(count) };
}

/** What keeps this process from joining, and what to do about it. */
export function differenceOf(cluster: string, key: string, found: string, partitions: number): string {
  const { layout, partitions: count } = settingsIn(found);
  if (layout === LAYOUT) {
    return (
      `cluster '${cluster}' has ${count} partitions, and this process asks for ${partitions}. ` +
      `Set 'partitions' to ${count}, or give the cluster another name.`
    );
  }
  return (
    `cluster '${cluster}' has streams of layout ${layout}, and this build reads and writes ${LAYOUT}. Give the cluster another name; or let its builds ` +
    `handle what waits, end them, and delete the key '${key}'.`
  );
}
