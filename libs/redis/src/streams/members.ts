import type { Cancellable, Clock, Endpoint, Logger, PeerState } from '@nestjs-orchestrator/core/ports';
import { Throttle } from '@nestjs-orchestrator/core/internal';
import type { Cluster, Redis } from 'ioredis';
import type { Connection } from '../connection/connection.js';
import { listen } from '../connection/listen.js';
import type { Call } from '../connection/script.js';
import type { ClusterKeys } from './cluster-keys.js';
import { beatScript, removeScript } from './scripts.js';

/** What an endpoint says about itself. */
export interface Member {
  readonly endpoint: Endpoint;
  readonly pid: number;
  /** Whether it takes part in owning partitions. */
  readonly serving: boolean;
}

/** Who hears what becomes of the others. */
export interface MemberListener {
  came(member: Member): void;
  changed(member: Member, state: PeerState): void;
  left(member: Member): void;
  /** The lease was renewed: everything is known as of now. */
  renewed(): void;
  /** Others have declared this endpoint dead. */
  declaredDead(): void;
}

const HINT_MS = 10;
/** Incarnations that are remembered as gone. */
const MOST_GONE = 1_000;

/** This endpoint's lease, and the leases of the others. */
export class Members {
  private readonly known = new Map<string, { member: Member; state: PeerState }>();
  private readonly gone = new Set<string>();
  private readonly hinted: Throttle;
  private timer: Cancellable | undefined;
  private subscriber: Redis | Cluster | undefined;
  private validUntil = 0;
  private beating: Promise<boolean> | undefined;
  private again = false;
  private closed = false;
  serving = false;

  constructor(
    private readonly connection: Connection,
    private readonly keys: ClusterKeys,
    readonly self: Endpoint,
    private readonly ground: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly leaseMs: number;
      readonly listener: MemberListener;
    },
  ) {
    this.hinted = new Throttle(ground.clock, HINT_MS, () => void this.beat());
  }

  /** Whether the lease of this endpoint is good by its own clock, which is never later than the server's opinion. */
  get valid(): boolean {
    return this.ground.clock.monotonic() < this.validUntil;
  }

  get serves(): readonly string[] {
    const others = [...this.known.values()].filter(({ member }) => member.serving);
    const names = others.map(({ member }) => member.endpoint.incarnation);
    return (this.serving ? [...names, this.self.incarnation] : names).toSorted();
  }

  find(incarnation: string): { readonly member: Member; readonly state: PeerState } | undefined {
    return this.known.get(incarnation);
  }

  all(): readonly { readonly member: Member; readonly state: PeerState }[] {
    return [...this.known.values()];
  }

  about(): string {
    const { self, serving } = this;
    return JSON.stringify([self.name, process.pid, serving ? 1 : 0]);
  }

  /** Someone who was met elsewhere before the next beat told of him. */
  meet(endpoint: Endpoint): void {
    const { incarnation } = endpoint;
    if (incarnation === this.self.incarnation || this.known.has(incarnation) || this.gone.has(incarnation))
      return;
    this.enter({ endpoint, pid: 0, serving: false });
  }

  async start(): Promise<void> {
    const subscriber = this.connection.another();
    this.subscriber = subscriber;
    const look = (): void => this.hinted.call();
    const heard = listen(subscriber, this.keys.hints, { message: look, again: look });
    await this.connection.limited(heard, this.connection.timeoutMs, () => undefined);
    this.connection.connectedAgain(() => this.hinted.call());
    await this.beat();
  }

  /** Takes part in owning partitions from now on, and tells everybody. */
  async serve(): Promise<void> {
    this.serving = true;
    // One that is under way says what was true when it began.
    await this.beating;
    await this.beat();
    this.hint();
  }

  /** Tells everybody that something has changed. Whoever does not hear it learns it from the next beat. */
  hint(): void {
    void this.connection.command((client) => client.publish(this.keys.hints, '1')).catch(() => undefined);
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.hinted.cancel();
    this.subscriber?.disconnect();
  }

  /** Takes this endpoint out of the cluster. */
  async leave(): Promise<void> {
    await this.remove(this.self, true);
    this.hint();
  }

  /** Gives a sign of life and looks at the others; one at a time. `false`: the server did not answer. */
  beat(): Promise<boolean> {
    if (this.beating !== undefined) {
      this.again = true;
      return this.beating;
    }
    this.beating = this.beatOnce().finally(() => {
      this.beating = undefined;
      if (!this.again || this.closed) return;
      this.again = false;
      this.hinted.call();
    });
    return this.beating;
  }

  private async beatOnce(): Promise<boolean> {
    const { leaseMs, clock } = this.ground;
    const begun = clock.monotonic();
    // Whoever is met from now on may have come after the server has answered.
    const before = [...this.known.keys()];
    this.timer?.cancel();
    try {
      const keys = [this.keys.until, this.keys.nodes, this.keys.pulse];
      const args = [this.self.incarnation, leaseMs, this.about()];
      const answer = await this.connection.run({ script: beatScript, keys, args });
      if (this.closed) return false;
      if (answer === 0) {
        this.validUntil = 0;
        this.ground.listener.declaredDead();
        return false;
      }
      this.validUntil = begun + leaseMs;
      await this.look(answer as readonly (string | number)[], before);
      this.ground.listener.renewed();
      return true;
    } catch (error) {
      // The connection goes with the place.
      if (this.closed) return false;
      this.ground.logger.warn('The lease of this endpoint could not be renewed; tried again', {
        error: String(error),
      });
      return false;
    } finally {
      if (!this.closed) this.timer = clock.schedule(leaseMs / 3, () => void this.beat());
    }
  }

  private async look(found: readonly (string | number)[], before: readonly string[]): Promise<void> {
    const present = new Set<string>();
    for (let at = 0; at < found.length; at += 3) {
      const incarnation = String(found[at]);
      const left = Number(found[at + 2]);
      if (incarnation === this.self.incarnation) continue;
      const member = memberOf(incarnation, String(found[at + 1]));
      if (left > 0 || !(await this.remove(member.endpoint, false))) {
        present.add(incarnation);
        this.see(member, left < this.ground.leaseMs / 3 ? 'suspect' : 'up');
      } else this.hint();
    }
    for (const incarnation of before) {
      const gone = this.known.get(incarnation);
      if (gone === undefined || present.has(incarnation)) continue;
      this.known.delete(incarnation);
      this.bury(incarnation);
      this.ground.listener.left(gone.member);
    }
  }

  private bury(incarnation: string): void {
    this.gone.add(incarnation);
    const [oldest] = this.gone;
    if (this.gone.size > MOST_GONE && oldest !== undefined) this.gone.delete(oldest);
  }

  private see(member: Member, state: PeerState): void {
    const { incarnation } = member.endpoint;
    const known = this.known.get(incarnation);
    if (known === undefined) {
      this.enter(member);
      return;
    }
    const changed = known.state !== state;
    this.known.set(incarnation, { member, state });
    if (changed) this.ground.listener.changed(member, state);
  }

  private enter(member: Member): void {
    this.known.set(member.endpoint.incarnation, { member, state: 'up' });
    this.ground.listener.came(member);
  }

  private async remove(endpoint: Endpoint, leaving: boolean): Promise<boolean> {
    return (await this.connection.run(removal(this.keys, endpoint, leaving))) === 1;
  }
}

/** Takes an endpoint out of the cluster, with the names that it holds; answers 1 where it is out. */
export function removal(keys: ClusterKeys, { name, incarnation }: Endpoint, leaving: boolean): Call {
  const { until, nodes, endpoints, names, pulse } = keys;
  const all = [until, nodes, endpoints, names, keys.heldBy(incarnation), pulse];
  return { script: removeScript, keys: all, args: [incarnation, name, leaving ? 1 : 0] };
}

export function memberOf(incarnation: string, about: string): Member {
  const [name = '', pid = 0, serving = 0] = (about === '' ? [] : JSON.parse(about)) as [
    string?,
    number?,
    number?,
  ];
  return { endpoint: { name, incarnation }, pid, serving: serving === 1 };
}
