import type { Commit } from '../../ports/instance-store.js';
import type { CurrentInstance } from '../../ports/records.js';
import { instanceAfter } from './joint-commit.js';

/** How many instances are kept. */
const MOST = 4_096;
/** Longest texts of an instance that is kept, in characters: with {@link MOST} it bounds the memory. */
const LONGEST = 8_192;

/**
 * Instances as this node's last commits left them, so that the next message needs no load. What is kept may be out of date: whoever uses it commits
 * with `ifUnseen`, and believes nothing else of it before a load has said the same. The least recently used are forgotten.
 */
export class KnownInstances {
  private readonly kept = new Map<string, CurrentInstance>();

  /** An entry, which stays. */
  look(mailbox: string): CurrentInstance | undefined {
    return this.kept.get(mailbox);
  }

  /** Takes an entry out; the commit that follows puts the next one in. */
  take(mailbox: string): CurrentInstance | undefined {
    const found = this.kept.get(mailbox);
    this.kept.delete(mailbox);
    return found;
  }

  /** After a commit of an instance for which no delivery waits. One that has ended is not kept: hardly anything comes for it. */
  committed(mailbox: string, commit: Commit, version: number): void {
    const { next } = commit;
    const length = next.data.length + next.machine.length + next.undo.length;
    if (next.ended || length > LONGEST) return;
    this.kept.set(mailbox, instanceAfter(commit, version));
    if (this.kept.size <= MOST) return;
    for (const [oldest] of this.kept) {
      this.kept.delete(oldest);
      break;
    }
  }
}
