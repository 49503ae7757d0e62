import * as fc from 'fast-check';
import { message, type, type MessageType } from '@nestjs-orchestrator/core';
import {
  buildSaga,
  defineSaga,
  sagaBehaviour,
  sagaDecorators,
  steps,
  type ContextOf,
  type SagaBehaviour,
} from '@nestjs-orchestrator/nest';
import type { StepsChain } from '@nestjs-orchestrator/core/saga';
import { expect, it } from 'vitest';
import { openRig } from './rig.js';
import { Model, type Plan } from './saga-model.js';
import { storeKinds } from './support.js';

interface Body {
  id: string;
  n: number;
}
class Begin extends message('m.begin', type<Body>()) {}
class Answer0 extends message('m.answer0', type<Body>()) {}
class Answer1 extends message('m.answer1', type<Body>()) {}
class Answer2 extends message('m.answer2', type<Body>()) {}
class Fail extends message('m.fail', type<Body>()) {}
class Extra0 extends message('m.extra0', type<Body>()) {}
class Extra1 extends message('m.extra1', type<Body>()) {}
class Command extends message('m.command', type<{ id: string; step: number }>()) {}

const answers = [Answer0, Answer1, Answer2] as const;
const extras = [Extra0, Extra1] as const;
const types: Readonly<Record<string, MessageType<string, Body>>> = Object.fromEntries(
  [Begin, ...answers, Fail, ...extras].map((each) => [each.messageName, each]),
);

type Compensate = (input: { step: number }) => Promise<void>;

function definitionOf({ length, unanswered }: Plan) {
  return defineSaga({
    name: 'model',
    version: 1,
    data: type<{ id: string; trace: string[] }>(),
    correlateBy: 'id',
    states: ['s0', 's1', 's2'].slice(0, length) as ('s0' | 's1' | 's2')[],
    ends: { good: 'success', bad: 'undo' },
    events: [Begin, Answer0, Answer1, Answer2, Fail, Extra0, Extra1],
    compensations: { undo: type<{ step: number }>() },
    unanswered,
  });
}
type Definition = ReturnType<typeof definitionOf>;
type State = Definition['types']['state'];
type Target = State | 'good' | 'bad';
type Ctx = ContextOf<Definition, Body>;

const stateOf = (step: number): State => `s${step}` as State;
const after = ({ length }: Plan, step: number): Target => (step + 1 < length ? stateOf(step + 1) : 'good');
const begun = ({ event }: { event: Body }) => ({ id: event.id, trace: [] });
const trace =
  (label: string) =>
  (ctx: Ctx): void =>
    void ctx.data.trace.push(label);

function enter({ pivot }: Plan, step: number) {
  return (ctx: ContextOf<Definition, never>): void => {
    if (step === pivot) ctx.pivot();
    if (pivot === undefined || step < pivot) ctx.compensateWith('undo', { step });
    ctx.send(new Command({ id: ctx.data.id, step }));
  };
}

const byBuilder = (plan: Plan, compensate: Compensate): SagaBehaviour =>
  buildSaga(definitionOf(plan), (saga) => {
    saga.initially().when(Begin).then(begun).transitionTo('s0');
    for (let step = 0; step < plan.length; step++) {
      saga.onEntry(stateOf(step), enter(plan, step));
      saga
        .during(stateOf(step))
        .when(answers[step] ?? Answer0)
        .then(trace(`answer ${step}`))
        .transitionTo(after(plan, step));
    }
    saga.duringAny().when(Fail).then(trace('fail')).finalize('bad');
    for (const { from, extra, to, even } of plan.extras) {
      const when = saga.during(stateOf(from)).when(extras[extra] ?? Extra0);
      const answer = even ? when.if(({ event }) => event.n % 2 === 0) : when;
      const handled = answer.then(trace(`extra ${extra}`));
      if (to !== undefined) handled.transitionTo(to as Target);
    }
    saga.compensate('undo', compensate);
  });

function byClass(plan: Plan, compensate: Compensate): SagaBehaviour {
  const definition = definitionOf(plan);
  const { Saga, StartedBy, On, OnEntry, Compensation } = sagaDecorators(definition);
  class Modelled {}
  type Decorator = (target: object, key: string, descriptor: TypedPropertyDescriptor<never>) => void;
  let methods = 0;
  const method = (decorator: unknown, value: unknown): void => {
    const key = `method${methods++}`;
    Object.defineProperty(Modelled.prototype, key, { value, configurable: true, writable: true });
    (decorator as Decorator)(Modelled.prototype, key, {});
  };
  method(StartedBy(Begin, { to: 's0' }), begun);
  for (let step = 0; step < plan.length; step++) {
    method(OnEntry(stateOf(step)), enter(plan, step));
    const during = stateOf(step);
    method(On(answers[step] ?? Answer0, { during, to: after(plan, step) }), trace(`answer ${step}`));
    method(On(Fail, { during, to: 'bad' }), trace('fail'));
  }
  for (const { from, extra, to, even } of plan.extras) {
    const where = { during: stateOf(from), ...(to === undefined ? {} : { to: to as Target }) };
    const options = even ? { ...where, if: ({ event }: { event: Body }) => event.n % 2 === 0 } : where;
    method(On(extras[extra] ?? Extra0, options), trace(`extra ${extra}`));
  }
  method(Compensation('undo'), compensate);
  Saga()(Modelled);
  return sagaBehaviour(Modelled);
}

function bySteps(plan: Plan, compensate: Compensate): SagaBehaviour {
  let chain: StepsChain<Definition> = steps(definitionOf(plan), {
    compensations: { undo: compensate },
  }).startedBy(Begin, begun);
  for (let step = 0; step < plan.length; step++) {
    // What the compiler would refuse behind the point of no return is left out there.
    if (step === plan.pivot) chain = chain.pivot() as unknown as StepsChain<Definition>;
    chain = chain.step(stateOf(step), {
      do: ({ data }) => new Command({ id: data.id, step }),
      ...(plan.pivot === undefined || step < plan.pivot ? { undo: { undo: () => ({ step }) } } : {}),
      answer: answers[step] ?? Answer0,
      onAnswer: trace(`answer ${step}`),
      failure: Fail,
      onFailure: trace('fail'),
    });
  }
  return chain.finalize('good');
}

const plans = (most: number): fc.Arbitrary<Plan> =>
  fc.integer({ min: 1, max: 3 }).chain((length) => {
    const state = fc.integer({ min: 0, max: length - 1 });
    const target = fc.oneof(state.map(stateOf), fc.constantFrom('good', 'bad'), fc.constant(undefined));
    const extra = fc.record({
      from: state,
      extra: fc.integer({ min: 0, max: 1 }),
      to: target,
      even: fc.boolean(),
    });
    return fc.record({
      length: fc.constant(length),
      unanswered: fc.constantFrom('defer' as const, 'ignore' as const),
      pivot:
        length === 1
          ? fc.constant(undefined)
          : fc.option(fc.integer({ min: 1, max: length - 1 }), { nil: undefined }),
      extras: fc.uniqueArray(extra, {
        maxLength: most,
        selector: ({ from, extra: which }) => `${from} ${which}`,
      }),
    });
  });

/** Events in any order, some of them twice, some before the start; equal ids are the same message. */
const offers = fc.array(
  fc.record({
    name: fc.constantFrom(...Object.keys(types)),
    n: fc.integer({ min: 0, max: 3 }),
    id: fc.integer({ min: 0, max: 9 }),
  }),
  { minLength: 3, maxLength: 14 },
);

type Offers = typeof offers extends fc.Arbitrary<infer T> ? T : never;

const [memory] = storeKinds;
if (memory === undefined) throw new Error('There is no store to run on.');

async function outcome(
  make: (plan: Plan, compensate: Compensate) => SagaBehaviour,
  plan: Plan,
  given: Offers,
) {
  const undone: number[] = [];
  const behaviour = make(plan, async ({ step }) => void undone.push(step));
  const rig = await openRig(memory as NonNullable<typeof memory>, behaviour, { commands: [Command] });
  try {
    for (const { name, n, id } of given) {
      const Message = types[name] as MessageType<string, Body>;
      // An id belongs to one message: the name is part of it.
      await rig.play([new Message({ id: 'x', n }), { id: `${name} ${id}` }]);
    }
    const instance = await rig.find('x');
    const sent = rig.handled.map(({ body }) => (body as { step: number }).step);
    const { trace: seen } = (instance?.data ?? { trace: [] }) as { trace: string[] };
    return { state: instance?.state ?? null, status: instance?.status ?? null, trace: seen, undone, sent };
  } finally {
    await rig.close();
  }
}

const expected = (plan: Plan, given: Offers) => {
  const model = new Model(plan);
  for (const { name, n, id } of given) model.offer(name, n, `${name} ${id}`);
  return model.outcome();
};

it('random sagas do by class and by builder what a plain model does, whatever comes in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(plans(4), offers, async (plan, given) => {
      const wanted = expected(plan, given);
      expect(await outcome(byBuilder, plan, given)).toEqual(wanted);
      expect(await outcome(byClass, plan, given)).toEqual(wanted);
    }),
    { numRuns: 60 },
  );
});

it('rows of steps do what a plain model does', async () => {
  await fc.assert(
    fc.asyncProperty(plans(0), offers, async (plan, given) => {
      const wanted = expected(plan, given);
      expect(await outcome(bySteps, plan, given)).toEqual(wanted);
      expect(await outcome(byBuilder, plan, given)).toEqual(wanted);
    }),
    { numRuns: 60 },
  );
});
