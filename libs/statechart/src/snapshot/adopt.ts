import type { Configuration } from '../engine/configuration.js';
import type { Runtime } from '../engine/runtime.js';
import { SnapshotError, text } from '../errors.js';
import type { Snapshot } from '../types.js';

/** The snapshot's configuration in this machine's own tables; machines of one definition may share snapshots. */
export function adopt(runtime: Runtime, snapshot: Snapshot): Configuration {
  const configuration = (snapshot as Snapshot | null | undefined)?.configuration;
  if (configuration?.runtime === runtime) return configuration;
  if (configuration?.runtime === undefined) {
    throw new SnapshotError(
      runtime.chart.id,
      text(snapshot),
      'Take one from initialTransition, transition or deserialize.',
    );
  }
  if (configuration.runtime.chart !== runtime.chart) {
    const found = `states of machine '${snapshot.machine}' as another definition numbers them`;
    throw new SnapshotError(runtime.chart.id, found, 'Bring it over with dehydrate and rehydrate.');
  }
  return runtime.configuration(configuration.nodes, configuration.memory);
}
