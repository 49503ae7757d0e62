import { NameInvalidError, NameTakenError, RegistryFullError } from '../../../errors/transport-errors.js';
import type { Logger } from '../../../ports/logger.js';
import type { Endpoint, TransportSeat } from '../../../ports/transport.js';
import { aboutPublished, publishedName } from './names.js';
import type { Word } from './words.js';

/** Claims that are under way at a time. */
const AT_ONCE = 32;

interface Held {
  readonly about: string;
  readonly holder: string;
}

/** Keeps in the distributed directory what the members of the own cluster say that they hold. */
export class PublishedNames {
  private readonly wanted = new Map<string, Held>();
  private readonly published = new Map<string, string>();
  /** Names whose entry may not be what is wanted. */
  private readonly changed = new Set<string>();
  /** Names that the directory does not take. */
  private readonly refused = new Set<string>();
  private working = false;
  private closed = false;

  constructor(
    private readonly seat: TransportSeat,
    private readonly cluster: string,
    private readonly logger: Logger,
    /** How many names are published, when that has changed and nothing is left to do. */
    private readonly settled: (names: number) => void,
  ) {}

  get size(): number {
    return this.published.size;
  }

  /** A member says what it holds. */
  told({ name: endpoint, incarnation }: Endpoint, word: Extract<Word, { kind: 'held' }>): void {
    if (word.all) this.forget(incarnation);
    for (const name of word.gone) {
      if (this.wanted.get(name)?.holder === incarnation) this.want(name, undefined);
    }
    for (const [name, about] of word.names)
      this.want(name, { about: aboutPublished(about, endpoint), holder: incarnation });
    this.goOn();
  }

  lost({ incarnation }: Endpoint): void {
    this.forget(incarnation);
    this.goOn();
  }

  /** Does what is left to do; also what failed before. */
  goOn(): void {
    if (this.working || this.closed || this.changed.size === 0) return;
    this.working = true;
    void this.work();
  }

  /** What is published goes with the seat. */
  close(): void {
    this.closed = true;
  }

  private forget(incarnation: string): void {
    for (const [name, { holder }] of this.wanted) if (holder === incarnation) this.want(name, undefined);
  }

  private want(name: string, held: Held | undefined): void {
    if (held === undefined) this.wanted.delete(name);
    else this.wanted.set(name, held);
    this.refused.delete(name);
    this.changed.add(name);
  }

  private async work(): Promise<void> {
    let isReachable = true;
    while (this.changed.size > 0 && !this.closed && isReachable) {
      const names = [...this.changed].slice(0, AT_ONCE);
      for (const name of names) this.changed.delete(name);
      isReachable = !(await Promise.all(names.map((name) => this.fit(name)))).includes(false);
    }
    // In the same step as the last look: what changes from now on is work of its own.
    this.working = false;
    if (isReachable) this.settled(this.published.size);
  }

  /** `false`: the directory can't be reached; it is tried again later. */
  private async fit(name: string): Promise<boolean> {
    const about = this.wanted.get(name)?.about;
    const there = this.published.get(name);
    if (about === there || this.refused.has(name)) return true;
    const entry = publishedName(this.cluster, name);
    try {
      if (there !== undefined) await this.seat.unclaim(entry);
      this.published.delete(name);
      if (about === undefined) return true;
      await this.seat.claim(entry, about);
      this.published.set(name, about);
      return true;
    } catch (error) {
      return this.failed(name, error);
    }
  }

  private failed(name: string, error: unknown): boolean {
    const isFinal =
      error instanceof NameInvalidError ||
      error instanceof RegistryFullError ||
      error instanceof NameTakenError;
    if (isFinal) this.refused.add(name);
    else this.changed.add(name);
    if (isFinal && !this.closed) {
      this.logger.warn(`'${name}' is reached from other clusters, but not listed there: ${error.message}`, {
        cluster: this.cluster,
      });
    }
    return isFinal;
  }
}
