import type { Endpoint, TransportSeat } from '../../../ports/transport.js';
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

  constructor(
    private readonly context: LinkContext,
    private readonly seat: Pick<TransportSeat, 'giveUp'>,
  ) {}

  frame(from: Endpoint, bytes: Uint8Array): void | Promise<void> {
    let link = this.links.get(from.incarnation);
    if (link === undefined) {
      const out = new Outgoing(this.context, from);
      // Nothing waits, since nothing here has a mailbox.
      const limits = { mostParked: 1, maxMessageBytes: this.context.limits.maxMessageBytes };
      const refused = (problem: string, unread: boolean): void => out.close(new Error(problem), !unread);
      const { seat } = this;
      const missing = (problem: string): void =>
        seat.giveUp?.(
          `frames of '${from.name}' are missing, which the server may have forgotten: ${problem}`,
        );
      link = new Incoming(out, this, limits, refused, undefined, seat.giveUp && missing);
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
