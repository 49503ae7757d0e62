import { message, type } from '@nestjs-orchestrator/core';
import {
  buildSaga,
  defineSaga,
  type CompensationContext,
  type UndoPolicy,
} from '@nestjs-orchestrator/core/saga';

interface Ref {
  id: string;
}
export class Began extends message('u.began', type<Ref>()) {}
export class Failed extends message('u.failed', type<Ref>()) {}
export class Refund extends message('u.refund', type<Ref>()) {}
export class Refunded extends message('u.refunded', type<Ref>()) {}
export class RefundRefused extends message('u.refund-refused', type<Ref>()) {}

type Step = 'one' | 'two' | 'three';
/** An undo step of a test. */
export type UndoHandler = (ctx: CompensationContext) => unknown;

/** A saga that records three undo steps at once, `scope` of the last two, and fails when it is told to. */
export function undoing(
  handlers: Partial<Record<Step, UndoHandler>>,
  undo: Partial<Record<Step, UndoPolicy>> = {},
  scope?: string,
) {
  const saga = defineSaga({
    name: 'undoing',
    version: 1,
    data: type<Ref>(),
    correlateBy: 'id',
    states: ['open'],
    ends: { done: 'success', failed: 'undo' },
    events: [Began, Failed, Refunded, RefundRefused],
    compensations: { one: type<Ref>(), two: type<Ref>(), three: type<Ref>() },
    undo,
  });
  return buildSaga(saga, (build) => {
    build
      .initially()
      .when(Began)
      .then((ctx) => {
        const { id } = ctx.event;
        const options = scope === undefined ? {} : { scope };
        ctx.compensateWith('one', { id });
        ctx.compensateWith('two', { id }, options);
        ctx.compensateWith('three', { id }, options);
        return { id };
      })
      .transitionTo('open');
    build.during('open').when(Failed).transitionTo('failed').after('3h').transitionTo('done');
    for (const name of ['one', 'two', 'three'] as const)
      build.compensate(name, async (_input, ctx) => void (await handlers[name]?.(ctx)));
  });
}

/** Handlers that take down what ran. */
export function noting(
  ran: string[],
  over: Partial<Record<Step, UndoHandler>> = {},
): Record<Step, UndoHandler> {
  const note =
    (name: Step): UndoHandler =>
    (ctx) => (ran.push(name), over[name]?.(ctx));
  return { one: note('one'), two: note('two'), three: note('three') };
}

/** An undo step that fails. */
export const down = (): never => {
  throw new Error('the carrier is away');
};
