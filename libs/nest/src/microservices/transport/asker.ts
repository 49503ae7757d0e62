import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import { type Observable, Subject } from 'rxjs';

/** Who waits for the answers to a request. */
export class Asker {
  /** It waits no more. */
  isGone = false;
  private readonly ends = new Subject<void>();

  constructor(
    readonly to: Endpoint,
    /** The request's number there. */
    readonly number: number,
    readonly id: string,
  ) {}

  /** Among all that wait. */
  get key(): string {
    return `${this.to.incarnation}/${this.number}`;
  }

  /** Says when no more answers are wanted. */
  get stop(): Observable<void> {
    return this.ends;
  }

  /** Ends what produces the answers. */
  endAnswers(): void {
    this.ends.next();
  }

  goes(): void {
    this.isGone = true;
    this.endAnswers();
  }
}
