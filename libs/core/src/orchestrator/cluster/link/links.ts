import { PeerLostError } from '../../../errors/transport-errors.js';
import type { Logger } from '../../../ports/logger.js';
import type { Scheduler } from '../../../ports/scheduler.js';
import type { Endpoint } from '../../../ports/transport.js';
import { PeerProtocolError } from '../cluster-errors.js';
import type { LastingSeat } from '../lasting-seat.js';
import type { Arrivals } from './arrivals.js';
import { Incoming, type IncomingLimits } from './incoming.js';
import type { LinkContext } from './link-context.js';
import { Outgoing } from './outgoing.js';

/** The ways to the other processes of a cluster: one to each, from when it is needed or heard of. */
export class Links {
  private readonly links = new Map<string, Incoming>();

  constructor(
    private readonly context: LinkContext,
    private readonly ground: {
      readonly seat: LastingSeat;
      readonly cluster: string;
      readonly arrivals: Arrivals;
      readonly limits: IncomingLimits;
      readonly scheduler: Scheduler;
      readonly logger: Logger;
    },
  ) {}

  to(endpoint: Endpoint): Incoming {
    let link = this.links.get(endpoint.incarnation);
    if (link === undefined) {
      const { arrivals, limits, seat } = this.ground;
      const out = new Outgoing(this.context, endpoint);
      const refused = (problem: string, unread: boolean): void => this.refused(out, problem, unread);
      const missing = seat.whenMissing(endpoint);
      link = new Incoming(out, arrivals, limits, refused, undefined, missing);
      this.links.set(endpoint.incarnation, link);
    }
    return link;
  }

  all(): readonly Incoming[] {
    return [...this.links.values()];
  }

  /** That process is gone. */
  lose(endpoint: Endpoint): void {
    const link = this.links.get(endpoint.incarnation);
    this.links.delete(endpoint.incarnation);
    link?.out.close(new PeerLostError(endpoint.name), true);
    link?.giveUpAsked();
  }

  loseAll(): void {
    for (const { out } of this.all()) this.lose(out.to);
  }

  /** One that was closed. */
  forget({ to, closed }: Outgoing): void {
    const link = this.links.get(to.incarnation);
    if (link === undefined) return;
    if (!(closed instanceof PeerProtocolError)) this.links.delete(to.incarnation);
    // Not now: a step's adoption may have found out that nobody is there.
    this.ground.scheduler.soon(() => link.giveUpAsked());
  }

  /** One that speaks another protocol stays among the links, so that all that is sent to it is refused. */
  private refused(out: Outgoing, problem: string, unread: boolean): void {
    const { logger, cluster } = this.ground;
    const error = new PeerProtocolError(out.to.name, problem);
    logger.error(error.message, { cluster, endpoint: out.to.name });
    out.close(error, !unread);
  }
}
