import {
  causeOf,
  type ErasedCompensation,
  type ErasedHandler,
  type HookSpec,
  type SagaBehaviour,
  type TransitionSpec,
} from '../behaviour.js';
import type { ErasedActivity } from '../activity/activity-types.js';
import { SagaDefinitionError, type DefinitionFault } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import type { SagaBuilder } from './builder-types.js';
import { ScopeChain, type DraftBook } from './transition-chain.js';
import type { TransitionDraft } from './transition-draft.js';

/**
 * Gives a saga its behaviour without a class:
 *
 * ```ts
 * const order = buildSaga(orderSaga, (saga) => {
 *   saga.initially().when(OrderCreated).then((ctx) => ({ orderId: ctx.event.orderId })).transitionTo('awaitingPayment');
 *   saga.during('awaitingPayment').when(PaymentFailed).finalize('failed').after('24h').finalize('failed');
 *   saga.compensate('refund', async ({ orderId }, ctx) => payments.refund(orderId, ctx.idempotencyKey));
 * });
 * ```
 *
 * @throws SagaDefinitionError with all faults at once, for example a `when` that nothing answers
 */
export function buildSaga<G extends AnySaga>(
  definition: G,
  build: (saga: SagaBuilder<G>) => void,
): SagaBehaviour<G> {
  const book = new BehaviourBook(definition);
  const returned: unknown = build(book as unknown as SagaBuilder<G>);
  if (returned instanceof Promise) {
    returned.catch(() => {});
    book.fault('buildSaga', 'was given an async function; declare the behaviour synchronously');
  }
  return book.close() as SagaBehaviour<G>;
}

/** Collects what the builder is told; the run-time side of {@link SagaBuilder}. */
class BehaviourBook implements DraftBook {
  private readonly drafts: TransitionDraft[] = [];
  private readonly faults: DefinitionFault[] = [];
  private readonly hooks: HookSpec[] = [];
  private readonly compensations = new Map<string, ErasedCompensation>();
  private readonly activities = new Map<string, ErasedActivity>();
  private closed = false;

  constructor(private readonly definition: AnySaga) {}

  add(draft: TransitionDraft): void {
    if (this.closed) this.refuse(draft.label);
    this.drafts.push(draft);
  }

  fault(path: string, message: string): void {
    this.faults.push({ path, message });
  }

  initially(): ScopeChain {
    return new ScopeChain(this, 'start', 'initially()');
  }

  during(...states: string[]): ScopeChain {
    return new ScopeChain(this, states, `during(${states.join(', ')})`);
  }

  duringAny(): ScopeChain {
    return new ScopeChain(this, 'any', 'duringAny()');
  }

  onEntry(states: string | readonly string[], handler: ErasedHandler): this {
    return this.hook({
      kind: 'entry',
      states: list(states),
      handler,
      label: `onEntry(${states.toString()})`,
    });
  }

  onExit(states: string | readonly string[], handler: ErasedHandler): this {
    return this.hook({ kind: 'exit', states: list(states), handler, label: `onExit(${states.toString()})` });
  }

  private hook(hook: HookSpec): this {
    if (this.closed) this.refuse(hook.label);
    this.hooks.push(hook);
    return this;
  }

  activity(name: string, run: ErasedActivity): this {
    if (this.closed) this.refuse(`activity(${name})`);
    if (this.activities.has(name)) this.fault(`activity(${name})`, `is given twice; drop one of them`);
    this.activities.set(name, run);
    return this;
  }

  compensate(name: string, handler: ErasedCompensation): this {
    if (this.closed) this.refuse(`compensate(${name})`);
    if (this.compensations.has(name)) this.fault(`compensate(${name})`, `is given twice; drop one of them`);
    this.compensations.set(name, handler);
    return this;
  }

  close(): SagaBehaviour {
    this.closed = true;
    for (const draft of this.drafts) for (const message of draft.check()) this.fault(draft.label, message);
    const transitions = this.transitions();
    if (this.faults.length > 0) throw new SagaDefinitionError(this.definition.name, this.faults);
    const { definition, hooks, compensations, activities } = this;
    return {
      definition,
      transitions,
      hooks,
      joins: new Map(),
      compensations,
      activities,
      label: 'buildSaga',
    };
  }

  /** A state's own transitions first, then those of any state where it has no unconditional one itself. */
  private transitions(): readonly TransitionSpec[] {
    const answered = new Set<string>();
    const own: TransitionSpec[] = [];
    const fallback: TransitionSpec[] = [];
    for (const draft of this.drafts) {
      if (draft.states === 'any') continue;
      own.push(draft.toSpec(draft.states));
      if (draft.guard !== undefined) continue;
      for (const state of draft.states) answered.add(`${state} × ${causeOf(draft.trigger)}`);
    }
    for (const draft of this.drafts) {
      if (draft.states !== 'any') continue;
      const key = causeOf(draft.trigger);
      // What is nested in a state is asked before it anyway.
      const left = Object.keys(this.definition.nodes).filter((state) => !answered.has(`${state} × ${key}`));
      if (left.length === 0) this.fault(draft.label, `never runs: every state answers it itself`);
      fallback.push(draft.toSpec(left));
    }
    return [...own, ...fallback];
  }

  private refuse(label: string): never {
    const message = `was added after buildSaga had returned; declare everything inside its function`;
    throw new SagaDefinitionError(this.definition.name, [{ path: label, message }]);
  }
}

function list(states: string | readonly string[]): readonly string[] {
  return typeof states === 'string' ? [states] : states;
}
