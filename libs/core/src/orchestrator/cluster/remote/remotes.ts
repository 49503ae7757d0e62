import type { ClusterMember } from '../cluster-member.js';
import { publishedName } from '../gateway/names.js';
import { directoryName } from '../own-names.js';
import { RemoteMachine } from './remote-machine.js';

/** Remote machines that are remembered; above, those that nothing waits for are forgotten. */
const MOST_REMOTES = 10_000;

/** The machines of other processes, and of other clusters, that somebody here has meant. */
export class Remotes {
  private readonly remotes = new Map<string, RemoteMachine>();

  constructor(private readonly member: ClusterMember) {}

  of(group: string, id: string, cluster?: string): RemoteMachine {
    const name = directoryName(group, id);
    const key = cluster === undefined ? name : publishedName(cluster, name);
    let remote = this.remotes.get(key);
    if (remote !== undefined) return remote;
    if (this.remotes.size >= MOST_REMOTES)
      for (const [name, each] of this.remotes) if (each.isIdle) this.remotes.delete(name);
    remote = new RemoteMachine(this.member, group, id, cluster);
    this.remotes.set(key, remote);
    return remote;
  }

  /** What waits for any of them ends so. */
  giveUp(reason: Error): void {
    for (const remote of this.remotes.values()) remote.giveUp(reason);
  }
}
