import { TransportClosedError } from '../../errors/transport-errors.js';
import type { Clock } from '../../ports/clock.js';

/** What can be lost: a seat at a transport. */
export interface Place {
  /** Settles when it is gone, since it was left or others have taken it; undefined: that can't happen. */
  readonly closed?: Promise<void> | undefined;
  leave(): Promise<void>;
}

/** One stay in a place. */
export interface Term {
  /** The place is gone: what comes in from it is for nobody. */
  readonly over: boolean;
}

/** What a place that is lost and found again needs around it. But for `take` and `enter` nothing may throw. */
export interface PlaceGround<P extends Place> {
  readonly clock: Clock;
  /** Milliseconds between a try that failed and the next one. */
  readonly pauseMs: number;
  readonly take: (term: Term) => Promise<P>;
  /**
   * What is to be done in a place before it counts as found. It goes on without anybody where the place is lost meanwhile.
   *
   * @param again it is not the first one
   */
  readonly enter?: (place: P, again: boolean) => Promise<unknown>;
  /** It is there now. */
  readonly found?: (place: P, again: boolean) => void;
  /** It is gone, without having been left by {@link LastingPlace.leave}; told once of each that was taken, before the next one is. */
  readonly lost?: (place: P) => void;
  /** A try to find another one has failed. The next one follows after the pause. */
  readonly failed: (error: unknown) => void;
  /** What those hear who want a place when it was left. */
  readonly closedError: () => Error;
}

interface Stay<P extends Place> {
  readonly place: P;
  readonly term: { over: boolean };
  readonly gone: Promise<void>;
  readonly end: () => void;
}

/**
 * A place at a transport that its holder does not lose for good. The one way in which whatever joins a cluster comes back:
 *
 * - One place at a time: another one is taken only when the one before is gone.
 * - A place that is lost is followed by another one at once, whenever that happens: before it was entered, meanwhile, in the very step in which it was found, or later.
 * - A try that fails is followed by another one after `pauseMs`. What was taken and could not be entered is left first: its name would be taken.
 * - The first try is the caller's to hear of: it rejects where it fails, and leaves nothing behind. Only where the place is lost on the way it goes on.
 * - After `end` or `leave` nothing is taken any more: a pause ends at once, a try that is under way is waited for, and what it took is left.
 */
export class LastingPlace<P extends Place> {
  private stay: Stay<P> | undefined = undefined;
  private isFound = false;
  /** A way to a place; it never rejects but for the first one. */
  private way: Promise<void> | undefined = undefined;
  private endPause: () => void = nothing;
  private ending: Promise<P | undefined> | undefined = undefined;
  private leaving: Promise<void> | undefined = undefined;
  private waiting: (() => void)[] = [];
  /** Why the last try failed; undefined: it did not, or a place was found since. */
  hindrance: unknown = undefined;

  constructor(private readonly ground: PlaceGround<P>) {}

  /** The present place, from when it is taken until it is gone. */
  get present(): P | undefined {
    return this.stay?.term.over === false ? this.stay.place : undefined;
  }

  /** The latest place, also when it is gone. */
  get latest(): P | undefined {
    return this.stay?.place;
  }

  /** The present place, where it is entered. */
  get entered(): P | undefined {
    return this.isFound ? this.present : undefined;
  }

  /** Whether it was ended or left. */
  get isLeft(): boolean {
    return this.ending !== undefined;
  }

  /** Whether it is on its way to a place. */
  get isAway(): boolean {
    return this.way !== undefined;
  }

  /**
   * Takes the first place; settles when it is found. To be called again only where it was rejected.
   *
   * @throws what `take` and `enter` throw; `closedError` where it was left meanwhile (as rejections)
   */
  async begin(): Promise<P> {
    if (this.isLeft) throw this.ground.closedError();
    await (this.way = this.seek(false));
    const { entered } = this;
    if (entered !== undefined) return entered;
    // Lost in the step in which it was found, or left.
    return this.within((place) => Promise.resolve(place));
  }

  /**
   * Does something in the present place, or the next one, once more where it is lost meanwhile, so that `work` hears `TransportClosedError`.
   *
   * @param from `entered`: only in a place that counts as found; `taken`: from when it is taken
   * @throws what `work` throws; `closedError` where it was left, or not begun (as rejections)
   */
  async within<T>(work: (place: P) => Promise<T>, from: 'entered' | 'taken' = 'entered'): Promise<T> {
    for (;;) {
      const { place, gone } = await this.stayFrom(from);
      try {
        return await work(place);
      } catch (error) {
        const isLost = error instanceof TransportClosedError && place.closed !== undefined;
        if (!isLost || this.isLeft) throw error;
        await gone;
      }
    }
  }

  /** Takes no place any more; settles with the one that it has when no try is under way, which may be gone later. A second call settles with the first. */
  end(): Promise<P | undefined> {
    return (this.ending ??= this.endNow());
  }

  /** As `end`, and leaves the place. */
  leave(): Promise<void> {
    return (this.leaving ??= this.leaveNow());
  }

  private async stayFrom(from: 'entered' | 'taken'): Promise<Stay<P>> {
    for (;;) {
      const { stay } = this;
      if (this.isLeft || (stay === undefined && !this.isAway)) throw this.ground.closedError();
      if (stay !== undefined && (from === 'taken' ? this.present : this.entered) === stay.place) return stay;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private async endNow(): Promise<P | undefined> {
    // `ending` is set before anybody goes on who waits.
    await Promise.resolve();
    this.tell();
    this.endPause();
    // Who has begun it hears why it failed.
    await this.way?.catch(nothing);
    return this.present;
  }

  private async leaveNow(): Promise<void> {
    await this.end();
    await this.stay?.place.leave();
  }

  private async seek(again: boolean): Promise<void> {
    let isAgain = again;
    while (!this.isLeft) {
      let stay: Stay<P> | undefined;
      const term = { over: false };
      try {
        stay = this.begun(await this.ground.take(term), term);
        if (!this.isLeft) await Promise.race([this.ground.enter?.(stay.place, isAgain), stay.gone]);
        if (this.finds(stay, isAgain)) return;
      } catch (error) {
        if (!(await this.isLost(stay, error))) {
          if (!isAgain) return this.refuse(error);
          await this.rest(error);
        }
      }
      isAgain = true;
    }
    this.way = undefined;
    return undefined;
  }

  /** Found, unless it is gone, or nobody wants it any more. In one step with the end of the way: a place that is lost after it begins another one. */
  private finds(stay: Stay<P>, again: boolean): boolean {
    if (stay.term.over || this.isLeft) return false;
    this.way = undefined;
    this.isFound = true;
    this.hindrance = undefined;
    this.ground.found?.(stay.place, again);
    this.tell();
    return true;
  }

  /** The first try has failed: as if nothing had been. */
  private refuse(error: unknown): never {
    this.way = undefined;
    this.stay = undefined;
    this.tell();
    throw error;
  }

  /** Whether a place was lost on the way into it, and did not fail it. It is gone in either case. */
  private async isLost(stay: Stay<P> | undefined, error: unknown): Promise<boolean> {
    if (stay === undefined) return false;
    if (stay.term.over) return true;
    this.ends(stay);
    try {
      await stay.place.leave();
    } catch (problem) {
      this.ground.failed(problem);
    }
    return error instanceof TransportClosedError;
  }

  private begun(place: P, term: { over: boolean }): Stay<P> {
    let end = nothing;
    const gone = new Promise<void>((resolve) => (end = resolve));
    const stay: Stay<P> = { place, term, gone, end };
    this.stay = stay;
    void place.closed?.then(() => this.ends(stay));
    this.tell();
    return stay;
  }

  private ends(stay: Stay<P>): void {
    if (stay.term.over) return;
    stay.term.over = true;
    this.isFound = false;
    stay.end();
    if (this.isLeft) return;
    this.ground.lost?.(stay.place);
    // One way at a time: the one that is under way sees that this place is gone.
    this.way ??= this.seek(true);
  }

  private async rest(after: unknown): Promise<void> {
    if (this.isLeft) return;
    const { clock, pauseMs, failed } = this.ground;
    this.hindrance = after;
    failed(after);
    await new Promise<void>((resolve) => {
      const timer = clock.schedule(pauseMs, resolve);
      this.endPause = () => {
        timer.cancel();
        resolve();
      };
    });
    this.endPause = nothing;
  }

  /** Who waits looks again. */
  private tell(): void {
    for (const look of this.waiting.splice(0)) look();
  }
}

function nothing(): void {}
