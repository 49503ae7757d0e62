import { message, type, type MessageContext } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPlainCluster, type PlainCluster, type PlainNode } from '../messaging/support.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
interface Loose extends Ref {
  what?: unknown;
}
class Began extends message('u.began', type<Ref>()) {}
class Asked extends message('u.asked', type<Ref>()) {}
class Undone extends message('u.undone', type<Ref>()) {}
class Told extends message('u.told', type<Loose>()) {}
class Question extends message('u.question', type<Ref>()) {}
class Answer extends message('u.answer', type<Loose>()) {}

class Money {
  cents = 1;
}
const cycle: { self?: unknown } = {};
cycle.self = cycle;
let deep: unknown = [];
for (let level = 0; level < 20_000; level += 1) deep = [deep];

const GOOD = 'a good one';
/** What can't be stored, by the id of what meets it. */
const VALUES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['a BigInt', 1n],
  ['a cycle', cycle],
  ['a Map', new Map([['a', 1]])],
  ['a class instance', new Money()],
  ['a Date', new Date(0)],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['NaN', Number.NaN],
  ['what could reach a prototype', JSON.parse('{"__proto__":{"admin":true}}')],
  ['what is nested too deep', deep],
  ['more than the limit', 'x'.repeat(300_000)],
  [GOOD, { text: 'good' }],
]);
const BAD = [...VALUES.keys()].filter((name) => name !== GOOD);
/** What is thrown besides errors. */
const THROWN: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['nothing', undefined],
  ['a symbol', Symbol('s')],
  ['what has no text', Object.create(null)],
  ['a function', () => 1],
  ['an error without a message', Object.assign(new Error('x'), { message: undefined })],
  [
    'an error that can not be read',
    Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('no message');
      },
    }),
  ],
  ['an error that is its own cause', selfCaused()],
  ['a message that JSON can not carry', Object.assign(new Error('x'), { message: 7n })],
]);

function selfCaused(): Error {
  const error = new Error('round');
  error.cause = error;
  return error;
}

const REFUSED = /NOT_JSON|PAYLOAD_TOO_LARGE|NotJsonError|PayloadTooLargeError|can't carry|the limit is/;

/** What handlers do wrong, by the id of their instance. */
class Mistakes {
  onAsked: (ctx: { invoke: unknown; compensateWith: unknown; reply: unknown }, id: string) => void = () => {};
  activity: (id: string) => unknown = () => null;
  refund: (id: string) => void = () => {};
  answer: (ctx: MessageContext<Question>) => void = () => {};
}

const definition = defineSaga({
  name: 'unstorable',
  version: 1,
  data: type<{ id: string; error: string; times: number }>(),
  correlateBy: 'id',
  states: ['open', 'running'],
  ends: { done: 'success', failed: 'undo' },
  events: [Began, Asked, Undone],
  compensations: { refund: type<Loose>() },
  activities: { charge: { input: type<Loose>(), output: type<unknown>(), retry: { attempts: 2 } } },
});

function behaviourOf(mistakes: Mistakes) {
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Began)
      .then(({ event }) => ({ id: event.id, error: '', times: 0 }))
      .transitionTo('open');
    saga
      .during('open')
      .when(Asked)
      .then((ctx) => {
        ctx.data.times += 1;
        mistakes.onAsked(ctx, ctx.data.id);
      })
      .transitionTo('running')
      .when(Undone)
      .then((ctx) => ctx.compensateWith('refund', { id: ctx.data.id }))
      .transitionTo('failed');
    saga
      .during('running')
      .onDone('charge')
      .transitionTo('done')
      .onFailed('charge')
      .then((ctx) => void (ctx.data.error = String(ctx.event.message)))
      .transitionTo('failed');
    saga.activity('charge', (input) => Promise.resolve(mistakes.activity(input.id)));
    saga.compensate('refund', async ({ id }) => mistakes.refund(id));
  });
}

let cluster: PlainCluster;
let node: PlainNode;
let mistakes: Mistakes;

describe.each(storeKinds)('what can not be stored, on $kind', (kind) => {
  beforeEach(async () => {
    mistakes = new Mistakes();
    cluster = await openPlainCluster(kind);
    const options = { pollIntervalMs: 300_000, leaseMs: 300_000, sweepIntervalMs: 600_000 };
    node = await cluster.node(
      'node',
      (host) => {
        host.register(behaviourOf(mistakes));
        host.registerHandler({ message: Told, name: 'ear.told', handle: () => {} });
        host.registerHandler({
          message: Question,
          name: 'ear.question',
          handle: (ctx: MessageContext<Question>) => mistakes.answer(ctx),
        });
      },
      options,
    );
  });
  afterEach(() => cluster.close());

  const begin = async (given: Iterable<string>, ...events: readonly (new (body: Ref) => object)[]) => {
    const ids = [...given];
    for (const event of [Began, ...events]) {
      await Promise.all(ids.map((id) => node.host.bus.publish(new event({ id }))));
      await cluster.clock.settled();
    }
  };
  const find = async (id: string) => {
    const found = await node.host.repository(definition).findByCorrelation(id);
    if (found === undefined) throw new Error(`no instance ${id}`);
    return found;
  };
  const heldWith = async (id: string): Promise<string> => {
    const instance = await find(id);
    expect(`${id}: ${instance.state} ${instance.status}`).toBe(`${id}: open held`);
    expect(instance.data).toEqual({ id, error: '', times: 0 });
    const lines = await node.host.repository(definition).history(instance.id);
    return JSON.stringify(lines.filter((line) => line.kind === 'held').map(({ detail }) => detail));
  };

  it('of an activity’s result is its failure, which the saga is told', async () => {
    mistakes.onAsked = ({ invoke }, id) => (invoke as (name: string, input: Ref) => void)('charge', { id });
    mistakes.activity = (id) => VALUES.get(id);
    await begin(VALUES.keys(), Asked);
    await cluster.clock.advance('5m');
    expect((await find(GOOD)).state).toBe('done');
    for (const id of BAD) {
      const { state, status, data } = await find(id);
      expect(`${id}: ${state} ${status}`).toBe(`${id}: failed compensated`);
      expect(`${id}: ${data.error}`).toMatch(REFUSED);
    }
    expect(await cluster.store.deadLetters({})).toEqual([]);
  });

  it.each([
    ['input of an activity', 'invoke'],
    ['input of a compensation', 'compensate'],
    ['input of an activity’s undo', 'undo'],
  ] as const)('of the %s holds the instance, with its data as it was; a replay goes on', async (_, which) => {
    const ask: Mistakes['onAsked'] = (ctx, id) => {
      const [invoke, compensateWith] = [ctx.invoke, ctx.compensateWith] as ((...args: unknown[]) => void)[];
      const wrong = { id, what: VALUES.get(id) };
      const undo = { name: 'refund', input: which === 'undo' ? wrong : { id } };
      if (which === 'compensate') compensateWith?.('refund', wrong);
      invoke?.('charge', which === 'invoke' ? wrong : { id }, { undo });
    };
    mistakes.onAsked = ask;
    await begin(VALUES.keys(), Asked);
    await cluster.clock.advance('5m');
    expect((await find(GOOD)).state).toBe('done');
    mistakes.onAsked = ({ invoke }, id) => (invoke as (name: string, input: Ref) => void)('charge', { id });
    for (const id of BAD) {
      expect(`${id}: ${await heldWith(id)}`).toMatch(REFUSED);
      await node.host.operator.replay({ saga: definition, id: (await find(id)).id }, { by: 'ada' });
    }
    await cluster.clock.advance('1m');
    for (const id of VALUES.keys()) expect(`${id}: ${(await find(id)).state}`).toBe(`${id}: done`);
  });

  it('of a reply fails the request, of a handler and of a saga', async () => {
    mistakes.answer = ({ message: { id }, reply }) => reply(new Answer({ id, what: VALUES.get(id) }));
    mistakes.onAsked = ({ reply }, id) =>
      (reply as (answer: object) => void)(new Answer({ id, what: VALUES.get(id) }));
    await begin(VALUES.keys());
    const ask = (command: object) =>
      node.host.bus
        .request(command, { reply: Answer, timeout: '10m' })
        .then(({ what }) => JSON.stringify(what))
        .catch((error: unknown) => `${(error as { code?: string }).code}: ${String(error)}`);
    const answersOf = (Command: new (body: Ref) => object) =>
      Promise.all([...BAD, GOOD].map((id) => ask(new Command({ id }))));
    const fromHandler = answersOf(Question);
    await cluster.clock.advance('5m');
    expect((await fromHandler).at(-1)).toBe('{"text":"good"}');
    for (const told of (await fromHandler).slice(0, -1)) {
      expect(told).toMatch(/REQUEST_FAILED/);
      expect(told).toMatch(REFUSED);
    }
    expect(await cluster.store.deadLetters({})).toHaveLength(BAD.length);
    const fromSaga = answersOf(Asked);
    await cluster.clock.advance('11m');
    expect((await fromSaga).at(-1)).toBe('{"text":"good"}');
    // Held, it may still answer: whoever asks waits as long as it says.
    for (const told of (await fromSaga).slice(0, -1)) expect(told).toMatch(/REPLY_TIMEOUT/);
    for (const id of BAD) expect(`${id}: ${await heldWith(id)}`).toMatch(REFUSED);
  });

  it('of a schedule, of headers and of data that an operator writes is refused at once; nothing is written', async () => {
    await begin(['x']);
    const { bus, operator } = node.host;
    const instance = await find('x');
    for (const name of BAD) {
      const what = VALUES.get(name);
      const told = new Told({ id: 'x', what });
      const by = { by: 'ada' };
      const attempts = [
        bus.schedule(told, { id: 's', in: '1m' }),
        bus.publish(new Told({ id: 'x' }), { headers: { what: what as string } }),
        node.host.repository(definition).save(instance, { ...instance.data, what } as never, by),
        operator.cancel({ saga: definition, id: instance.id }, { ...by, reason: what as string }),
        operator.cancel({ saga: definition, id: instance.id }, { by: what as string, reason: 'enough' }),
      ];
      // A long header is text like any other; the message that has it is too long.
      for (const outcome of await Promise.allSettled(attempts)) {
        const error = (outcome as PromiseRejectedResult).reason as { code?: string } | undefined;
        expect(`${name}: ${error?.code}`).toMatch(/NOT_JSON|PAYLOAD_TOO_LARGE|OPERATOR_REFUSED/);
      }
    }
    expect(await find('x')).toMatchObject({ version: instance.version, status: 'running' });
    expect(await bus.findSchedule('s')).toBeUndefined();
    await cluster.clock.advance('5m');
    expect(await cluster.store.deadLetters({})).toEqual([]);
  });

  it('and can not be read either is a dead letter, which is one again when it is replayed', async () => {
    const { operator, bus } = node.host;
    const at = { owner: 'other', leaseMs: 0, now: cluster.clock.storeNow() };
    const row = { tenant: 'default', lane: null, delayMs: 1, id: 'm1' };
    for (const destination of ['saga:unstorable', 'handler:ear.told'])
      await cluster.store.enqueue([{ ...row, destination, payload: 'no JSON' }], at);
    await bus.publish(new Began({ id: 'x' }));
    await cluster.clock.advance('10m');
    const letters = await cluster.store.deadLetters({});
    expect(letters).toHaveLength(2);
    for (const letter of letters) expect(await operator.replayLetter(letter, { by: 'ada' })).toBe(true);
    await cluster.clock.advance('10m');
    const again = await cluster.store.deadLetters({});
    expect(again.map(({ payload, reason }) => `${payload}: ${reason.split(':')[0]}`)).toEqual(
      letters.map(() => 'no JSON: UnreadableRowError'),
    );
    expect(again.map(({ letter }) => letter)).not.toEqual(letters.map(({ letter }) => letter));
  });

  it('of what handlers throw is told by what can be told of it, and ends as any failure', async () => {
    const fail = (id: string): never => {
      throw THROWN.get(id);
    };
    mistakes.onAsked = (_, id) => fail(id);
    mistakes.answer = ({ message: { id } }) => fail(id);
    mistakes.refund = fail;
    const ids = [...THROWN.keys()];
    await begin([...ids, GOOD], Asked);
    await begin(
      ids.map((id) => `undo of ${id}`),
      Undone,
    );
    mistakes.refund = (id) => fail(id.slice('undo of '.length));
    await Promise.all(ids.map((id) => node.host.bus.send(new Question({ id }))));
    await cluster.clock.advance('2h');
    for (const id of ids) {
      expect(`${id}: ${(await find(id)).status}`).toBe(`${id}: held`);
      expect(`${id}: ${(await find(`undo of ${id}`)).status}`).toBe(`${id}: compensation-failed`);
    }
    const letters = await cluster.store.deadLetters({ destination: 'handler:ear.question', limit: 50 });
    expect(letters).toHaveLength(ids.length);
  });
});
