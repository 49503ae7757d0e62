import { PeerLostError } from '../../../errors/transport-errors.js';
import type { Clock } from '../../../ports/clock.js';
import type { Endpoint } from '../../../ports/transport.js';
import type { Incoming } from '../link/incoming.js';
import type { Outgoing } from '../link/outgoing.js';
import { failureFrom } from '../wire/failure-text.js';
import { Questions } from './questions.js';
import { type LinkOver, Route } from './route.js';
import type { Way } from './way.js';
import { type Greeting, type Opening, type Place, type Question, type Word, wordFrame } from './words.js';

/** An active gateway as a member sees it: what was asked of it, and the routes over it. */
export class Gate {
  /** Why nothing goes over it any more. */
  closed: Error | undefined = undefined;
  private readonly routes = new Map<string, Route>();
  /** Routes that were opened here, by the process that they lead to. */
  private readonly opened = new Map<string, Route>();
  private readonly questions: Questions;

  constructor(
    readonly greeting: Greeting,
    readonly endpoint: Endpoint,
    private readonly way: Way,
    private readonly nextRoute: () => string,
    private readonly linkOver: LinkOver,
    clock: Clock,
  ) {
    this.questions = new Questions(clock);
  }

  get size(): number {
    return this.routes.size;
  }

  links(): Incoming[] {
    return [...this.routes.values()].map(({ link }) => link);
  }

  tell(word: Word): void {
    const frame = wordFrame(word);
    try {
      if (!this.way.trySend(frame)) this.way.send(frame).catch((error: Error) => this.close(error));
    } catch (error) {
      this.close(error as Error);
    }
  }

  /**
   * What the gateway answers; null: there is no such machine.
   *
   * @throws ClusterUnreachableError, PeerLostError and whatever the look-up failed with (as rejections)
   */
  ask(question: Question): Promise<unknown> {
    if (this.closed !== undefined) return Promise.reject(this.closed);
    return this.questions.ask(this.endpoint.incarnation, (number) =>
      this.tell({ kind: 'ask', number, ...question }),
    );
  }

  answered(number: number, found: unknown, more: boolean): void {
    this.questions.answered(this.endpoint.incarnation, number, found, more);
  }

  failed(number: number, failure: unknown): void {
    this.questions.failed(this.endpoint.incarnation, number, failureFrom(failure));
  }

  /** The link to a process of another cluster; the one that there is, or a new one. */
  routeTo(cluster: string, place: Place): Outgoing {
    const there = this.opened.get(place.incarnation);
    if (there !== undefined) return there.link.out;
    const id = this.nextRoute();
    const limit = Math.min(place.limit, this.greeting.limit);
    const route = this.add(id, `${cluster}/${place.endpoint}`, cluster, limit, place.incarnation);
    this.opened.set(place.incarnation, route);
    if (this.closed !== undefined) route.close(this.closed);
    else {
      const opening = { route: id, cluster: '', endpoint: '', toCluster: cluster, to: place.incarnation };
      this.tell({ kind: 'open', ...opening, hops: 0, limit });
    }
    return route.link.out;
  }

  /** A process of another cluster has opened a route to this one. */
  openedThere({ route, cluster, endpoint, limit }: Opening): void {
    if (!this.routes.has(route)) this.add(route, `${cluster}/${endpoint}`, cluster, limit, undefined);
  }

  data(id: string, frame: Uint8Array): void | Promise<void> {
    const route = this.routes.get(id);
    if (route !== undefined) return route.link.frame(frame);
    // The word that opened it, or the one that closed it there, was forgotten on its way: whoever sends here waits in vain.
    this.tell({ kind: 'close', route: id });
    return undefined;
  }

  /** The other end is gone, or the way to it. */
  closedThere(id: string): void {
    const route = this.routes.get(id);
    if (route === undefined) return;
    this.drop(route);
    route.close(new PeerLostError(route.endpoint));
  }

  close(reason: Error): void {
    if (this.closed !== undefined) return;
    this.closed = reason;
    this.questions.lost(this.endpoint.incarnation, reason);
    for (const route of [...this.routes.values()]) {
      this.drop(route);
      route.close(reason);
    }
  }

  private add(id: string, endpoint: string, cluster: string, limit: number, to: string | undefined): Route {
    const closedHere = (): void => {
      if (this.routes.get(id) !== route) return;
      this.drop(route);
      if (this.closed === undefined) this.tell({ kind: 'close', route: id });
    };
    const route: Route = new Route({ id, endpoint, cluster, limit, to }, this.way, this.linkOver, closedHere);
    this.routes.set(id, route);
    return route;
  }

  private drop({ id, to }: Route): void {
    this.routes.delete(id);
    if (to !== undefined && this.opened.get(to)?.id === id) this.opened.delete(to);
  }
}
