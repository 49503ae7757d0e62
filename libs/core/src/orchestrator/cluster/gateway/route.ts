import type { Endpoint } from '../../../ports/transport.js';
import type { Incoming } from '../link/incoming.js';
import type { FrameSink } from '../link/link-context.js';
import type { Way } from './way.js';
import { dataFrame, routeHead } from './words.js';

/** Makes a link whose frames go over a route. `closed` is called when it is closed at this end. */
export type LinkOver = (sink: FrameSink, to: Endpoint, cluster: string, closed: () => void) => Incoming;

/** What a route is between. */
interface Ends {
  readonly id: string;
  /** The other end, with its cluster; for people. */
  readonly endpoint: string;
  readonly cluster: string;
  /** Bytes of the largest frame. */
  readonly limit: number;
  /** Incarnation of the other end where the route was opened here. */
  readonly to: string | undefined;
}

/** A link to a process of another cluster, over its gateway. */
export class Route {
  readonly link: Incoming;
  readonly id: string;
  readonly endpoint: string;
  readonly to: string | undefined;

  constructor({ id, endpoint, cluster, limit, to }: Ends, way: Way, linkOver: LinkOver, closed: () => void) {
    this.id = id;
    this.endpoint = endpoint;
    this.to = to;
    const head = routeHead(id);
    const sink: FrameSink = {
      maxFrameBytes: limit,
      trySend: (_to, frame) => way.trySend(dataFrame(head, frame)),
      send: (_to, frame, signal) => way.send(dataFrame(head, frame), signal),
    };
    this.link = linkOver(sink, { name: endpoint, incarnation: id }, cluster, closed);
  }

  /** What was not handed over is refused, the rest unknown. */
  close(reason: Error): void {
    this.link.out.close(reason, true);
    this.link.giveUpAsked();
  }
}
