import { PeerLostError } from '../../../errors/transport-errors.js';
import type { Clock } from '../../../ports/clock.js';
import type { Endpoint, NamedEntry } from '../../../ports/transport.js';
import { ClusterUnreachableError } from '../cluster-errors.js';
import { directoryName } from '../own-names.js';
import { failureFrom, failureText } from '../wire/failure-text.js';
import { gatewayLock, isOffer, publishedAbout } from './names.js';
import { Questions } from './questions.js';
import type { Relay } from './relay.js';
import type { Side } from './side.js';
import { WaysIn } from './ways-in.js';
import { type Greeting, type Place, placeIn, type Question, type Word } from './words.js';

type Ask = Extract<Word, { kind: 'ask' }>;

/** Answers what members ask about the other side: where a machine is, which processes and names there are. */
export class Inquiries {
  readonly waysIn = new WaysIn();
  private readonly passed: Questions;

  constructor(
    private readonly local: Side,
    private readonly distributed: Side,
    private readonly relay: Relay,
    private readonly greeting: () => Greeting | undefined,
    /** The own cluster. */
    private readonly cluster: string,
    clock: Clock,
  ) {
    this.passed = new Questions(clock);
  }

  fromLocal(from: Endpoint, ask: Ask): void {
    void this.answer(this.local, from, ask, () => this.elsewhere(ask));
  }

  fromDistributed(from: Endpoint, ask: Ask): void {
    void this.answer(this.distributed, from, ask, () => this.here(ask));
  }

  answered(from: Endpoint, word: Extract<Word, { kind: 'answer' | 'failure' }>): void {
    const { number } = word;
    if (word.kind === 'answer') this.passed.answered(from.incarnation, number, word.found, word.more);
    else this.passed.failed(from.incarnation, number, failureFrom(word.failure));
  }

  /** This gateway leaves: who waits for an answer asks the next one. */
  end(): void {
    this.passed.close(new ClusterUnreachableError(this.cluster, this.cluster, 'taking-over'));
  }

  lostDistributed(endpoint: Endpoint): void {
    const { incarnation, name } = endpoint;
    this.waysIn.lost(endpoint);
    this.passed.lost(incarnation, new PeerLostError(name));
  }

  private async answer(
    side: Side,
    to: Endpoint,
    { number, cluster }: Ask,
    look: () => Promise<unknown>,
  ): Promise<void> {
    try {
      this.assertActive(cluster);
      const found = await look();
      this.assertActive(cluster);
      for (const word of inParts(number, found, side.seat.maxFrameBytes)) side.tell(to, word);
    } catch (error) {
      side.tell(to, { kind: 'failure', number, failure: JSON.parse(failureText(error)) });
    }
  }

  private assertActive(cluster: string): void {
    if (this.greeting() === undefined)
      throw new ClusterUnreachableError(cluster, this.cluster, 'taking-over');
  }

  /** For a member of the own cluster. What came through a gateway does not leave through one. */
  private elsewhere(ask: Question): Promise<unknown> {
    const greeting = this.greeting() as Greeting;
    if (ask.hops > 0 || ask.cluster === greeting.cluster)
      throw new ClusterUnreachableError(ask.cluster, this.cluster, 'loop');
    return ask.cluster === greeting.joins ? this.joined(ask, greeting) : this.beyond(ask, greeting);
  }

  /** Of the distributed cluster itself. */
  private async joined(ask: Question, { limit }: Greeting): Promise<unknown> {
    const { seat } = this.distributed;
    if (ask.about === 'processes') {
      const others = seat.peers().map(({ endpoint }) => endpoint);
      return others.map((endpoint) => this.leads(endpoint, placeOf(endpoint, limit)));
    }
    if (ask.about === 'names') {
      return (await seat.names())
        .filter(isMachine)
        .map(({ name, about, endpoint }) => [name, about, endpoint.name]);
    }
    const entry = await seat.locate(directoryName(ask.group, ask.machine));
    return entry === undefined
      ? this.kept(ask, limit)
      : this.leads(entry.endpoint, placeOf(entry.endpoint, limit));
  }

  /** It may be a durable machine, which is in no directory: whoever keeps those of its group knows. */
  private async kept(ask: Question, limit: number): Promise<Place | null> {
    for (;;) {
      const to = this.waysIn.to(ask.group, ask.machine);
      if (to === undefined) return this.keptByAnybody(ask, limit);
      try {
        const place = placeIn(await this.passOn(to, ask));
        if (place === undefined) return null;
        return this.leads(to, { ...place, limit: Math.min(place.limit, limit) });
      } catch (error) {
        // The next one is asked, as long as there is one.
        if (!(error instanceof PeerLostError) || this.waysIn.to(ask.group, ask.machine) === to) throw error;
      }
    }
  }

  /** Who keeps what may be on its way to a gateway that has just begun: everybody is asked, behind the greeting that it was sent. */
  private async keptByAnybody(ask: Question, limit: number): Promise<Place | null> {
    const others = this.distributed.seat.peers();
    const answers = await Promise.allSettled(others.map(({ endpoint }) => this.passOn(endpoint, ask)));
    for (const [at, answer] of answers.entries()) {
      const place = answer.status === 'fulfilled' ? placeIn(answer.value) : undefined;
      const to = others[at]?.endpoint;
      if (place !== undefined && to !== undefined)
        return this.leads(to, { ...place, limit: Math.min(place.limit, limit) });
    }
    for (const answer of answers)
      if (answer.status === 'rejected' && !knowsOfNone(answer.reason)) throw answer.reason;
    return null;
  }

  /** Of a cluster that is joined by another gateway. */
  private async beyond(ask: Question, greeting: Greeting): Promise<unknown> {
    const { seat } = this.distributed;
    const { cluster } = ask;
    const there = await seat.locate(gatewayLock(cluster));
    if (there === undefined) throw await this.unreachable(cluster);
    if (ask.about === 'names') return this.published(cluster);
    const found = await this.passOn(there.endpoint, ask);
    const narrowed = (place: unknown): Place | null => {
      const read = placeIn(place);
      if (read === undefined) return null;
      return this.leads(there.endpoint, { ...read, limit: Math.min(read.limit, greeting.limit) });
    };
    return Array.isArray(found) ? found.map(narrowed) : narrowed(found);
  }

  /** Nobody is the gateway of that cluster at the moment. */
  private async unreachable(cluster: string): Promise<ClusterUnreachableError> {
    const names = await this.distributed.seat.names();
    const reason = names.some(({ name }) => isOffer(cluster, name)) ? 'taking-over' : 'no-gateway';
    return new ClusterUnreachableError(cluster, this.cluster, reason, this.relay.fence.epochOf(cluster) > 0);
  }

  private async published(cluster: string): Promise<unknown> {
    const prefix = gatewayLock(cluster);
    const entries = await this.distributed.seat.names();
    return entries
      .filter(({ name }) => name.startsWith(prefix) && name !== prefix)
      .map(({ name, about }) => [name.slice(prefix.length), ...publishedAbout(about)]);
  }

  /** For somebody of another cluster: only what is here. */
  private async here(ask: Question): Promise<unknown> {
    const { cluster, limit } = this.greeting() as Greeting;
    if (ask.hops > 1 || ask.cluster !== cluster)
      throw new ClusterUnreachableError(ask.cluster, cluster, 'loop');
    const { seat } = this.local;
    if (ask.about === 'processes') {
      const all = [seat.self, ...seat.peers().map(({ endpoint }) => endpoint)];
      return all.map((endpoint) => placeOf(endpoint, limit));
    }
    if (ask.about === 'names') {
      return (await seat.names())
        .filter(isMachine)
        .map(({ name, about, endpoint }) => [name, about, endpoint.name]);
    }
    const entry = await seat.locate(directoryName(ask.group, ask.machine));
    return entry === undefined ? null : placeOf(entry.endpoint, limit);
  }

  private passOn(to: Endpoint, { about, cluster, group, machine, hops }: Question): Promise<unknown> {
    return this.passed.ask(to.incarnation, (number) =>
      this.distributed.tell(to, { kind: 'ask', number, about, cluster, group, machine, hops: hops + 1 }),
    );
  }

  /** Remembers over whom a place is reached. */
  private leads(next: Endpoint, place: Place): Place {
    this.relay.leads(place.incarnation, next);
    return place;
  }
}

/** Another gateway, or one that is gone: they keep nothing. */
function knowsOfNone(error: unknown): boolean {
  return error instanceof ClusterUnreachableError || error instanceof PeerLostError;
}

function placeOf({ name, incarnation }: Endpoint, limit: number): Place {
  return { endpoint: name, incarnation, limit };
}

function isMachine({ name }: NamedEntry): boolean {
  return !name.startsWith('/');
}

/** Bytes of a character in JSON at most. */
const WORST_BYTES = 6;

/** A list goes in parts that fit into frames. */
function* inParts(number: number, found: unknown, maxBytes: number): Generator<Word> {
  if (!Array.isArray(found)) {
    yield { kind: 'answer', number, found, more: false };
    return;
  }
  let [part, units]: [unknown[], number] = [[], 0];
  for (const item of found as unknown[]) {
    const size = JSON.stringify(item).length;
    if ((units + size) * WORST_BYTES > maxBytes && part.length > 0) {
      yield { kind: 'answer', number, found: part, more: true };
      [part, units] = [[], 0];
    }
    part.push(item);
    units += size;
  }
  yield { kind: 'answer', number, found: part, more: false };
}
