import { milliseconds, type Duration } from '../../message/duration.js';
import { isMessageType, type MessageType } from '../../message/message.js';
import type { ErasedGuard, ErasedHandler, Trigger } from '../behaviour.js';
import { NO_MESSAGE } from '../definition/report.js';
import { TransitionDraft, type DraftStates } from './transition-draft.js';

/** Where drafts are written down. */
export interface DraftBook {
  add(draft: TransitionDraft): void;
  fault(path: string, message: string): void;
}

/**
 * What stands behind the builder's scopes at run time: knows where it is and opens drafts. The interfaces of `builder-types` say
 * what may follow what; this only repeats what they can't prevent.
 */
export class ScopeChain {
  constructor(
    protected readonly book: DraftBook,
    protected readonly states: DraftStates | 'start',
    /** `during(awaitingPayment)`, for messages. */
    protected readonly place: string,
  ) {}

  when(event: MessageType | string): AnswerChain {
    if (typeof event === 'string')
      return this.open({ kind: 'composite', name: event }, `${this.place}.when(${event})`);
    const kind = this.states === 'start' ? 'start' : 'event';
    if (!isMessageType(event)) {
      this.book.fault(`${this.place}.when(${String(event)})`, NO_MESSAGE);
      return this.open({ kind, event: { messageName: String(event) } as MessageType }, this.place);
    }
    return this.open({ kind, event }, `${this.place}.when(${event.messageName})`);
  }

  scheduled(name: string): AnswerChain {
    return this.open({ kind: 'schedule', name }, `${this.place}.scheduled(${name})`);
  }

  onDone(activity: string): AnswerChain {
    return this.open({ kind: 'outcome', activity, outcome: 'done' }, `${this.place}.onDone(${activity})`);
  }

  onFailed(activity: string): AnswerChain {
    return this.open({ kind: 'outcome', activity, outcome: 'failed' }, `${this.place}.onFailed(${activity})`);
  }

  always(): AnswerChain {
    return this.open({ kind: 'always' }, `${this.place}.always()`);
  }

  done(): AnswerChain {
    return this.open({ kind: 'done' }, `${this.place}.done()`);
  }

  after(delay: Duration): AnswerChain {
    const label = `${this.place}.after(${delay})`;
    return this.open({ kind: 'after', delayMs: this.read(delay, label) }, label);
  }

  protected open(trigger: Trigger, label: string): AnswerChain {
    const draft = new TransitionDraft(trigger, this.states === 'start' ? [] : this.states, label);
    this.book.add(draft);
    return new AnswerChain(this.book, this.states, this.place, draft);
  }

  private read(delay: Duration, label: string): number {
    try {
      return milliseconds(delay);
    } catch (error) {
      this.book.fault(label, (error as Error).message);
      return 0;
    }
  }
}

/** A scope with one draft open. */
export class AnswerChain extends ScopeChain {
  constructor(
    book: DraftBook,
    states: DraftStates | 'start',
    place: string,
    private readonly draft: TransitionDraft,
  ) {
    super(book, states, place);
  }

  if(condition: ErasedGuard): this {
    if (this.draft.guard !== undefined) this.draft.faults.push(`has two conditions; join them with &&`);
    this.draft.guard = condition;
    return this;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- the field's word for it; a chain is never awaited, buildSaga refuses async functions
  then(handler: ErasedHandler): this {
    this.draft.handle(handler);
    return this;
  }

  transitionTo(target: string): this {
    this.draft.move(target);
    return this;
  }

  finalize(end: string): this {
    return this.transitionTo(end);
  }

  transitionToOneOf(...targets: string[]): this {
    this.draft.move(targets);
    return this;
  }

  ignore(): this {
    this.draft.ignore();
    return this;
  }

  else(): AnswerChain {
    if (this.draft.guard === undefined) this.draft.faults.push(`has an else without an if`);
    return this.open(this.draft.trigger, `${this.draft.label}.else`);
  }

  elseIf(condition: ErasedGuard): AnswerChain {
    return this.else().if(condition);
  }
}
