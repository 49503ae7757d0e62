import type { Endpoint } from '../../../ports/transport.js';
import { UnknownMachineError } from '../../errors.js';
import type { Dispatch, Envelope } from '../link/dispatch.js';
import { Incoming } from '../link/incoming.js';
import type { LinkContext } from '../link/link-context.js';
import type { LocalTarget } from '../link/local-target.js';
import { Outgoing } from '../link/outgoing.js';
import { BROADCAST } from '../wire/format.js';

/**
 * What members of the distributed cluster send to a gateway as if it were one of them: it has no machines there, and says so. A broadcast reaches
 * none of it.
 */
export class NobodyHere implements Dispatch {
  private readonly links = new Map<string, Incoming>();

  constructor(private readonly context: LinkContext) {}

  frame(from: Endpoint, bytes: Uint8Array): void | Promise<void> {
    let link = this.links.get(from.incarnation);
    if (link === undefined) {
      const out = new Outgoing(this.context, from);
      // Nothing waits, since nothing here has a mailbox.
      const limits = { mostParked: 1, maxMessageBytes: this.context.limits.maxMessageBytes };
      link = new Incoming(out, this, limits, (problem, unread) => out.close(new Error(problem), !unread));
      this.links.set(from.incarnation, link);
    }
    return link.frame(bytes);
  }

  lost({ incarnation, name }: Endpoint): void {
    this.links.get(incarnation)?.out.close(new Error(`'${name}' is gone.`), true);
    this.links.delete(incarnation);
  }

  event(_link: Incoming, target: LocalTarget): boolean {
    throw new UnknownMachineError(target.id, target.group, 'id');
  }

  question(link: Incoming, { kind, number, target }: Envelope): boolean {
    if (kind !== BROADCAST) return this.event(link, target as LocalTarget);
    link.answer(number, '0');
    return true;
  }
}
