import { NameInvalidError, NameTakenError } from '../../errors/transport-errors.js';
import type { TransportSeat } from '../../ports/transport.js';
import { DuplicateIdError } from '../errors.js';
import { utf8Bytes } from './wire/batch.js';

/** Bytes (UTF-8) of an id that others may find. */
const MOST_ID_BYTES = 255;
/** Names that are claimed again at a time. */
const AT_ONCE = 256;

/** The names that this process holds in the directory of its cluster. */
export class OwnNames {
  /** Told what is said about a name that is held now; undefined: it is not any more. */
  onChange: (name: string, about: string | undefined) => void = () => {};
  private readonly held = new Map<string, string>();
  /** Names that are being given back: a claim of one waits for that. */
  private readonly leaving = new Map<string, Promise<void>>();

  constructor(
    private readonly seat: TransportSeat,
    private readonly group: string,
    private readonly onError: (error: unknown, name: string) => void,
  ) {}

  /** Names that are held, with what was said about them. */
  all(): [name: string, about: string][] {
    return [...this.held];
  }

  /** @throws DuplicateIdError, NameInvalidError, RegistryFullError, TransportClosedError (as rejections) */
  async claim(id: string, definition: string): Promise<void> {
    if (utf8Bytes(id) > MOST_ID_BYTES) throw new NameInvalidError(id, MOST_ID_BYTES);
    const name = directoryName(this.group, id);
    await this.leaving.get(name);
    try {
      await this.seat.claim(name, definition);
    } catch (error) {
      throw error instanceof NameTakenError ? new DuplicateIdError(id, this.group) : error;
    }
    this.held.set(name, definition);
    this.onChange(name, definition);
  }

  /**
   * Takes all names again in a new place. Those that others have taken meanwhile are held no more, and are returned.
   *
   * @throws what `claim` of the seat throws, but for NameTakenError (as rejections). Nothing is given up then: the next place may have them.
   */
  async claimAgain(seat: TransportSeat): Promise<string[]> {
    const taken: string[] = [];
    const names = [...this.held];
    for (let from = 0; from < names.length; from += AT_ONCE) {
      await Promise.all(
        names.slice(from, from + AT_ONCE).map(async ([name, about]) => {
          if (await this.isTaken(seat, name, about)) taken.push(name);
        }),
      );
    }
    const lost = taken.filter((name) => this.held.delete(name));
    for (const name of lost) this.onChange(name, undefined);
    return lost;
  }

  private async isTaken(seat: TransportSeat, name: string, about: string): Promise<boolean> {
    try {
      await seat.claim(name, about);
    } catch (error) {
      if (error instanceof NameTakenError) return true;
      throw error;
    }
    // It ended while it was claimed.
    if (!this.held.has(name)) await seat.unclaim(name);
    return false;
  }

  /** Nothing where it is not held. Never rejects. */
  release(id: string): Promise<void> {
    const name = directoryName(this.group, id);
    if (!this.held.delete(name)) return this.leaving.get(name) ?? Promise.resolve();
    this.onChange(name, undefined);
    const left = this.seat
      .unclaim(name)
      .catch((error: unknown) => this.onError(error, name))
      .finally(() => this.leaving.delete(name));
    this.leaving.set(name, left);
    return left;
  }
}

export function directoryName(group: string, id: string): string {
  return `${group}/${id}`;
}
