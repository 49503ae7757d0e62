import type { InstanceStore } from '../../ports/instance-store.js';
import type { PartitionedTransport } from '../../ports/partitioned-transport.js';
import type { Transport } from '../../ports/transport.js';
import { coreOf } from '../global/global-orchestrator.js';
import type { ChannelGroup } from '../orchestrator.js';
import { type DurableOptions, GroupDurables } from './group-durables.js';

/**
 * Lets a group keep durable machines from now on, in a store that was started; those of the definitions that it knows go on. A group whose transport
 * gives machines no single owner goes on refusing them.
 *
 * @throws what `Transport.join` throws, StoreUnavailableError (as rejections)
 */
export async function startDurables(
  group: ChannelGroup,
  store: InstanceStore,
  options: DurableOptions = {},
): Promise<void> {
  const core = coreOf(group);
  const { cluster } = core;
  if (cluster === undefined) await GroupDurables.start(core, { store, options });
  else if (hasPartitions(cluster.transport)) {
    const spread = {
      transport: cluster.transport,
      cluster: cluster.cluster,
      endpoint: cluster.seat.self.name,
    };
    await GroupDurables.start(core, { store, options, spread });
  } else core.notDurableSince = 'no-owner';
}

/** Says that `startDurables` comes: until then durable machines of the group are refused as not started. */
export function expectDurables(group: ChannelGroup): void {
  const core = coreOf(group);
  const hasOwners = core.cluster === undefined || hasPartitions(core.cluster.transport);
  core.notDurableSince = hasOwners ? 'not-started' : 'no-owner';
}

/** Finishes what durable machines of a group are doing; the others of the group go on. Nothing where it has none. */
export async function closeDurables(group: ChannelGroup): Promise<void> {
  await coreOf(group).durable?.close();
}

/** Whether a transport gives each durable machine one owner. */
export function hasPartitions(transport: Transport): transport is PartitionedTransport {
  return 'partitions' in transport;
}
