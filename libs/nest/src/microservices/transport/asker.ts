import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import { type Observable, ReplaySubject } from 'rxjs';

/** Who waits for the answers to a request. */
export class Asker {
  /** It waits no more. */
  isGone = false;
  /** Answers may begin to come after they have ended. */
  private readonly ends = new ReplaySubject<void>(1);

  /** Of its request, as soon as that was read. */
  id = '';

  constructor(
    readonly to: Endpoint,
    /** The request's number there. */
    readonly number: number,
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
