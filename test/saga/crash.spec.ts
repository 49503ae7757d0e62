import { afterEach, describe, expect, it } from 'vitest';
import { anotherFinishes } from './lost-node.js';
import { openCluster, storeKinds, type Cluster } from './support.js';

/** Every point at which a node can be lost while an order is made, shipped or undone. */
const POINTS = [
  ['saga.commit.before', 5],
  ['saga.commit.after', 5],
  ['participant.before', 2],
  ['participant.commit.before', 2],
  ['participant.commit.after', 2],
  ['undo.before', 2],
  ['undo.done', 2],
] as const;
const CRASHES = POINTS.flatMap(([point, times]) =>
  Array.from({ length: times }, (_, i) => [point, i + 1] as const),
);

let cluster: Cluster | undefined;
afterEach(async () => cluster?.close());

describe.each(storeKinds)('a node that is lost, on $kind', (kind) => {
  const crashes = CRASHES.filter(([point]) => kind.losesConnections || point !== 'participant.commit.before');

  it.each(crashes)(
    'at %s, coming %i: another one finishes the order, with no effect twice',
    async (point, nth) => {
      expect.hasAssertions();
      cluster = await openCluster(kind);
      await anotherFinishes(cluster, point, nth);
    },
  );
});
