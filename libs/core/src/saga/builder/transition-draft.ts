import type { ErasedGuard, ErasedHandler, TransitionSpec, Trigger } from '../behaviour.js';

/** States of a draft: those named, or all that don't answer the event themselves. */
export type DraftStates = readonly string[] | 'any';

/** A transition while it is being written down. Takes each part once and remembers what was wrong with it. */
export class TransitionDraft {
  readonly faults: string[] = [];
  guard: ErasedGuard | undefined;
  private handler: ErasedHandler | undefined;
  private to: string | readonly string[] | undefined;
  private ignored = false;

  constructor(
    readonly trigger: Trigger,
    readonly states: DraftStates,
    /** Where it stands in the builder, for messages. */
    readonly label: string,
  ) {}

  handle(handler: ErasedHandler): void {
    if (this.handler !== undefined) this.faults.push(`has two handlers; merge them into one then(…)`);
    if (this.ignored) this.faults.push(`is ignored and handled; drop one of them`);
    this.handler = handler;
  }

  move(to: string | readonly string[]): void {
    if (this.to !== undefined)
      this.faults.push(`has two targets, '${this.to.toString()}' and '${to.toString()}'; drop one of them`);
    if (this.ignored) this.faults.push(`is ignored and moves to '${to.toString()}'; drop one of them`);
    this.to = to;
  }

  ignore(): void {
    this.ignored = true;
  }

  /** Faults of the finished draft. */
  check(): readonly string[] {
    if (this.trigger.kind === 'start') return [...this.faults, ...this.checkStart()];
    if (this.handler !== undefined || this.to !== undefined || this.ignored) return this.faults;
    return [...this.faults, `has no answer; end it with then(…), transitionTo(…), finalize(…) or ignore()`];
  }

  private checkStart(): readonly string[] {
    const faults: string[] = [];
    if (this.handler === undefined) faults.push(`makes no data; add then((ctx) => data)`);
    if (this.to === undefined) faults.push(`names no first state; end it with transitionTo(…)`);
    return faults;
  }

  toSpec(during: readonly string[]): TransitionSpec {
    const { trigger, to, guard, handler, label } = this;
    return { trigger, during, to, guard, handler, label };
  }
}
