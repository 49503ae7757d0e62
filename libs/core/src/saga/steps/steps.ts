import { milliseconds, type Duration } from '../../message/duration.js';
import type { MessageType } from '../../message/message.js';
import type {
  ErasedCompensation,
  ErasedHandler,
  HookSpec,
  SagaBehaviour,
  TransitionSpec,
} from '../behaviour.js';
import { SagaDefinitionError, type DefinitionFault } from '../saga-errors.js';
import type { AnySaga, Join } from '../saga-types.js';
import { beginOf, messagesOf, type ErasedStep, type StepDraft } from './step-draft.js';
import type { ParallelOptions, StepsOptions, StepsStart } from './steps-types.js';

/**
 * Gives a saga its behaviour as a row of steps, each a state: it sends a command, records how that is undone, and waits for the answer. An answer
 * leads to the next step, a failure or a time-out to the saga's failure, which undoes what was recorded, the last first.
 *
 * ```ts
 * const order = steps(orderSaga, { compensations: { refund: ({ orderId }, ctx) => payments.refund(orderId, ctx.idempotencyKey) } })
 *   .startedBy(OrderCreated, ({ event }) => ({ orderId: event.orderId, cents: event.cents }))
 *   .step('awaitingPayment', {
 *     do: ({ data }) => new ProcessPayment({ orderId: data.orderId, cents: data.cents }),
 *     undo: { refund: ({ data }) => ({ orderId: data.orderId }) },
 *     answer: PaymentProcessed,
 *     failure: PaymentFailed,
 *     timeout: '24h',
 *   })
 *   .finalize('completed');
 * ```
 */
export function steps<G extends AnySaga>(
  definition: G,
  ...[options]: [StepsOptions<G>] extends [{ readonly compensations: object }]
    ? [options: StepsOptions<G>]
    : [options?: StepsOptions<G>]
): StepsStart<G> {
  const compensations: ReadonlyMap<string, ErasedCompensation> = new Map(
    Object.entries((options?.compensations ?? {}) as Record<string, ErasedCompensation>),
  );
  return new StepsBook(definition, compensations) as unknown as StepsStart<G>;
}

/** Writes steps down, and turns them into transitions; the run-time side of {@link StepsStart}. */
class StepsBook {
  private readonly drafts: StepDraft[] = [];
  private readonly failures: { readonly event: MessageType; readonly handler: ErasedHandler | undefined }[] =
    [];
  private readonly faults: DefinitionFault[] = [];
  private start: { readonly event: MessageType; readonly handler: ErasedHandler } | undefined;
  private failure: string | undefined;
  private pivoting = false;
  /** How many steps lie before the point of no return. */
  private pivotAt: number | undefined;

  constructor(
    private readonly definition: AnySaga,
    private readonly compensations: ReadonlyMap<string, ErasedCompensation>,
  ) {
    const ends = Object.entries(definition.ends as Record<string, string>);
    const undoing = ends.filter(([, meaning]) => meaning === 'undo');
    if (undoing.length === 1) this.failure = undoing[0]?.[0];
  }

  startedBy(event: MessageType, handler: ErasedHandler): this {
    this.start = { event, handler };
    return this;
  }

  step(state: string, step: ErasedStep): this {
    return this.add(state, [step], false, step.timeout);
  }

  parallel(state: string, branches: (all: BranchList) => unknown, { timeout }: ParallelOptions = {}): this {
    const list = new BranchList();
    branches(list);
    return this.add(state, list.steps, true, timeout);
  }

  failsOn(event: MessageType, handler?: ErasedHandler): this {
    this.failures.push({ event, handler });
    return this;
  }

  failsTo(end: string): this {
    this.failure = end;
    return this;
  }

  pivot({ failure = this.failure }: { readonly failure?: string | undefined } = {}): this {
    this.failure = failure;
    this.pivoting = true;
    this.pivotAt = this.drafts.length;
    return this;
  }

  finalize(end: string): SagaBehaviour {
    const { definition, compensations } = this;
    const start = this.start as NonNullable<typeof this.start>;
    const [first] = this.drafts;
    if (first === undefined) this.faults.push({ path: 'steps', message: `has no step; add step(…)` });
    if (this.pivoting)
      this.faults.push({
        path: 'pivot()',
        message: `is followed by no step, so it changes nothing; drop it`,
      });
    const transitions: TransitionSpec[] = [
      {
        trigger: { kind: 'start', event: start.event },
        during: [],
        to: first?.state ?? end,
        guard: undefined,
        handler: start.handler,
        label: `startedBy(${start.event.messageName})`,
      },
      ...this.drafts.flatMap((draft, at) => this.transitions(draft, this.drafts[at + 1]?.state ?? end)),
      ...this.failures.flatMap(({ event, handler }) => this.failsOnAny(event, handler)),
    ];
    if (this.faults.length > 0) throw new SagaDefinitionError(definition.name, this.faults);
    const hooks = this.drafts.map((draft): HookSpec => ({
      kind: 'entry',
      states: [draft.state],
      handler: beginOf(draft),
      label: labelOf(draft),
    }));
    return { definition, transitions, hooks, joins: this.joins(), compensations, label: 'steps' };
  }

  private add(
    state: string,
    branches: readonly ErasedStep[],
    parallel: boolean,
    timeout: Duration | undefined,
  ): this {
    const draft = { state, branches, parallel, timeout, pivot: this.pivoting, failure: this.failure };
    this.pivoting = false;
    this.drafts.push(draft);
    this.check(draft);
    return this;
  }

  private check(draft: StepDraft): void {
    const report = (message: string): void => void this.faults.push({ path: labelOf(draft), message });
    if (this.drafts.some((other) => other !== draft && other.state === draft.state))
      report(`is a step already; each state is one step`);
    if (this.pivotAt !== undefined && draft.branches.some(({ undo }) => undo !== undefined))
      report(`has an undo, but lies behind the point of no return; drop one of them`);
    const answers = draft.branches.flatMap(({ answer }) => messagesOf(answer));
    if (new Set(answers).size < answers.length) report(`waits for the same answer twice`);
    if (draft.parallel && answers.length < 2) report(`has less than two branches; make it a step(…)`);
  }

  private transitions(draft: StepDraft, next: string): readonly TransitionSpec[] {
    const failures = draft.branches.flatMap(({ failure, onFailure }) =>
      messagesOf(failure).map((event) => this.failed(draft, event, onFailure)),
    );
    return [...this.answers(draft, next), ...failures, ...this.timeouts(draft)];
  }

  private answers(draft: StepDraft, next: string): readonly TransitionSpec[] {
    const during = [draft.state];
    const answer = (event: MessageType, handler: ErasedHandler | undefined, to: string | undefined) => ({
      trigger: { kind: 'event' as const, event },
      during,
      to,
      guard: undefined,
      handler,
      label: `${labelOf(draft)}.answer(${event.messageName})`,
    });
    if (!draft.parallel) {
      return draft.branches.flatMap(({ answer: events, onAnswer }) =>
        messagesOf(events).map((event) => answer(event, onAnswer, next)),
      );
    }
    const label = `${labelOf(draft)}.answers`;
    const trigger = { kind: 'composite' as const, name: joinOf(draft) };
    return [
      ...draft.branches.flatMap(({ answer: events, onAnswer }) =>
        onAnswer === undefined ? [] : messagesOf(events).map((event) => answer(event, onAnswer, undefined)),
      ),
      { trigger, during, to: next, guard: undefined, handler: undefined, label },
    ];
  }

  private timeouts(draft: StepDraft): readonly TransitionSpec[] {
    if (draft.timeout === undefined) return [];
    const label = `${labelOf(draft)}.timeout(${draft.timeout})`;
    const trigger = { kind: 'after' as const, delayMs: this.read(draft.timeout, label) };
    const to = this.failureOf(draft, label);
    return [{ trigger, during: [draft.state], to, guard: undefined, handler: undefined, label }];
  }

  private failed(draft: StepDraft, event: MessageType, handler: ErasedHandler | undefined): TransitionSpec {
    const label = `${labelOf(draft)}.failure(${event.messageName})`;
    const to = this.failureOf(draft, label);
    return { trigger: { kind: 'event', event }, during: [draft.state], to, guard: undefined, handler, label };
  }

  /** Before the point of no return only: behind it, what was done stays done. */
  private failsOnAny(event: MessageType, handler: ErasedHandler | undefined): readonly TransitionSpec[] {
    return this.drafts.slice(0, this.pivotAt).map((draft) => ({
      ...this.failed(draft, event, handler),
      label: `failsOn(${event.messageName})`,
    }));
  }

  private failureOf({ failure }: StepDraft, label: string): string {
    if (failure === undefined)
      this.faults.push({
        path: label,
        message: `knows no end to lead to; say failsTo(…) before the first step`,
      });
    return failure ?? '';
  }

  private joins(): ReadonlyMap<string, Join> {
    return new Map(
      this.drafts
        .filter(({ parallel }) => parallel)
        .map((draft): [string, Join] => [
          joinOf(draft),
          {
            of: draft.branches
              .flatMap(({ answer }) => messagesOf(answer))
              .map(({ messageName }) => messageName),
            during: [draft.state],
          },
        ]),
    );
  }

  private read(delay: Duration, label: string): number {
    try {
      return milliseconds(delay);
    } catch (error) {
      this.faults.push({ path: label, message: (error as Error).message });
      return 0;
    }
  }
}

function labelOf({ state, parallel }: StepDraft): string {
  return `${parallel ? 'parallel' : 'step'}(${state})`;
}

/** Name of the composite event that ends steps in parallel. */
function joinOf({ state }: StepDraft): string {
  return `${state}.answers`;
}

class BranchList {
  readonly steps: ErasedStep[] = [];

  branch(step: ErasedStep): this {
    this.steps.push(step);
    return this;
  }
}
