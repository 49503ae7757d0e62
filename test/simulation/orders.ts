import { message, type, type MessageContext, type MessageHandler } from '@nestjs-orchestrator/core';
import { memoryStore, type MemoryStore } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore, StoredInstance } from '@nestjs-orchestrator/core/ports';
import {
  buildSaga,
  defineSaga,
  type CompensationContext,
  type SagaBehaviour,
} from '@nestjs-orchestrator/core/saga';
import type { SimulatedInput, SimulationScenario } from '@nestjs-orchestrator/testing';
import { z } from 'zod';

const ref = z.object({ orderId: z.string() });
class Placed extends message('sim.placed', ref) {}
class Noted extends message('sim.noted', ref.extend({ note: z.string() })) {}
class Charge extends message('sim.charge', ref) {}
class Charged extends message('sim.charged', ref.extend({ ok: z.boolean() })) {}
class Reserve extends message('sim.reserve', ref) {}
class Reserved extends message('sim.reserved', ref.extend({ ok: z.boolean() })) {}

const definition = defineSaga({
  name: 'order',
  version: 1,
  data: type<{ orderId: string; notes: string[] }>(),
  correlateBy: 'orderId',
  states: ['paying', 'reserving'],
  ends: { completed: 'success', failed: 'undo' },
  events: [Placed, Noted, Charged, Reserved],
  compensations: { refund: ref, release: ref },
});

/** A receiver that does each effect once, whatever comes twice, and never after it was undone. */
class Ledger {
  readonly done = new Map<string, Set<string>>();
  readonly undone = new Map<string, Set<string>>();

  /** Does an effect for an order; `false`: it had been undone before it was done. */
  do(orderId: string, id: string): boolean {
    if (this.undone.has(orderId)) return false;
    this.done.set(orderId, (this.done.get(orderId) ?? new Set()).add(id));
    return true;
  }

  undo(orderId: string, id: string): void {
    this.undone.set(orderId, (this.undone.get(orderId) ?? new Set()).add(id));
  }

  balance(orderId: string): number {
    return this.done.has(orderId) && !this.undone.has(orderId) ? 1 : 0;
  }
}

/** Everything outside of the application. */
export interface World {
  readonly bank: Ledger;
  readonly stock: Ledger;
}

/** What the last digit of an order means, so that each kind comes. */
const isSilent = (orderId: string): boolean => orderId.endsWith('1');
const hasNoStock = (orderId: string): boolean => orderId.endsWith('2');

/** Compensations are of a world; everything else is compiled once for all runs. */
const orderBehaviour = buildSaga(definition, (saga) => {
  saga
    .initially()
    .when(Placed)
    .then((ctx) => {
      const { orderId } = ctx.event;
      ctx.compensateWith('refund', { orderId });
      ctx.send(new Charge({ orderId }));
      return { orderId, notes: [] };
    })
    .transitionTo('paying');
  saga
    .during('paying')
    .when(Charged)
    .then((ctx) => {
      if (!ctx.event.ok) return 'failed' as const;
      ctx.compensateWith('release', { orderId: ctx.data.orderId });
      ctx.send(new Reserve({ orderId: ctx.data.orderId }));
      return 'reserving' as const;
    })
    .transitionToOneOf('reserving', 'failed')
    .after('10s')
    .transitionTo('failed');
  saga
    .during('reserving')
    .when(Reserved)
    .then((ctx) => (ctx.event.ok ? ('completed' as const) : ('failed' as const)))
    .transitionToOneOf('completed', 'failed');
  saga
    .during('paying', 'reserving')
    .when(Noted)
    .then((ctx) => void ctx.data.notes.push(ctx.event.note));
  for (const name of ['refund', 'release'] as const)
    saga.compensate(name, () => Promise.reject(new Error('no world')));
});

function behaviour({ bank, stock }: World): SagaBehaviour {
  const undo =
    (ledger: Ledger) =>
    async ({ orderId }: { orderId: string }, ctx: CompensationContext): Promise<void> =>
      ledger.undo(orderId, ctx.idempotencyKey);
  return {
    ...orderBehaviour,
    compensations: new Map([
      ['refund', undo(bank)],
      ['release', undo(stock)],
    ]),
  };
}

function handlers({ bank, stock }: World): readonly MessageHandler[] {
  return [
    {
      message: Charge,
      name: 'payments.charge',
      handle: ({ id, message: { orderId }, publish }: MessageContext<Charge>) => {
        const ok = bank.do(orderId, id);
        if (!isSilent(orderId)) publish(new Charged({ orderId, ok }));
      },
    },
    {
      message: Reserve,
      name: 'stock.reserve',
      handle: ({ id, message: { orderId }, publish }: MessageContext<Reserve>) => {
        const ok = !hasNoStock(orderId) && stock.do(orderId, id);
        publish(new Reserved({ orderId, ok }));
      },
    },
  ];
}

/** Orders are placed, notes are sent about them, which may come before them and after their end. */
function inputs(count: number): readonly SimulatedInput[] {
  return Array.from({ length: count }, (_, n): SimulatedInput => {
    const orderId = `o${Math.floor(n / 2)}`;
    if (n % 2 === 0) return { id: `place ${orderId}`, verb: 'publish', message: new Placed({ orderId }) };
    return { id: `note ${orderId}`, verb: 'publish', message: new Noted({ orderId, note: `n${n}` }) };
  });
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'compensated']);

async function orders(store: InstanceStore): Promise<readonly StoredInstance[]> {
  const { items } = await store.query({ tenant: 'default', saga: 'order', limit: 1_000 }, { now: 0 });
  return items;
}

function orderIds(given: readonly SimulatedInput[]): readonly string[] {
  return given.flatMap(({ message: input }) => (input instanceof Placed ? [input.orderId] : []));
}

/** Ids of the notes that an order has heard, or was told too late, as often as they were. */
async function notesOf(store: InstanceStore, order: StoredInstance): Promise<readonly string[]> {
  const lines = await store.history(order);
  return lines
    .filter(({ name, kind }) => name === 'sim.noted' && (kind === 'event' || kind === 'late'))
    .map(({ messageId }) => messageId);
}

async function notesLeft(store: InstanceStore, given: readonly SimulatedInput[]): Promise<readonly string[]> {
  const taken = await Promise.all((await orders(store)).map((order) => notesOf(store, order)));
  return given.map(({ id }) => id).filter((id) => id.startsWith('note') && !taken.flat().includes(id));
}

async function faultsOf(
  world: World,
  store: InstanceStore,
  order: StoredInstance,
): Promise<readonly string[]> {
  const { orderId, notes } = JSON.parse(order.data) as { orderId: string; notes: readonly string[] };
  const { bank, stock } = world;
  const faults: string[] = [];
  const wrong = (is: boolean, what: string): void => void (is && faults.push(`${orderId}: ${what}.`));
  wrong(!ENDED.has(order.status), `it is ${order.status} in ${order.state}`);
  const owed = order.status === 'completed' ? 1 : 0;
  wrong(bank.balance(orderId) !== owed, `the bank has ${bank.balance(orderId)}, not ${owed}`);
  wrong(stock.balance(orderId) !== owed, `the stock has ${stock.balance(orderId)} reserved, not ${owed}`);
  for (const [name, effects] of Object.entries({
    charged: bank.done,
    refunded: bank.undone,
    reserved: stock.done,
    released: stock.undone,
  }))
    wrong((effects.get(orderId)?.size ?? 0) > 1, `it was ${name} under two ids`);
  wrong(new Set(notes).size !== notes.length, `a note was taken twice`);
  const lines = await store.history(order);
  const applied = lines.filter(({ kind }) => kind === 'event').map(({ messageId }) => messageId);
  wrong(new Set(applied).size !== applied.length, 'a message was applied twice');
  const heard = lines.filter(({ name, kind }) => name === 'sim.noted' && kind === 'event').length;
  wrong(heard !== notes.length, `${heard} notes were heard, ${notes.length} are in its data`);
  return faults;
}

/** The order application as it is simulated. `broken` makes a store with a fault, to show that simulation finds it. */
export function orderScenario(broken?: (store: MemoryStore) => MemoryStore): SimulationScenario<World> {
  const scenario: SimulationScenario<World> = {
    world: () => ({ bank: new Ledger(), stock: new Ledger() }),
    application: (world) => ({ sagas: [behaviour(world)], handlers: handlers(world) }),
    inputs,
    isOver: async (_world, store, given) => {
      const found = await orders(store);
      if (found.length < orderIds(given).length || found.some(({ status }) => !ENDED.has(status)))
        return false;
      return (await notesLeft(store, given)).length === 0;
    },
    check: async (world, store, given) => {
      const found = await orders(store);
      const missing = orderIds(given).length - found.length;
      const faults = missing === 0 ? [] : [`${missing} orders are missing.`];
      for (const id of await notesLeft(store, given)) faults.push(`'${id}' was lost.`);
      for (const order of found) faults.push(...(await faultsOf(world, store, order)));
      for (const letter of await store.deadLetters({})) faults.push(`Dead letter: ${letter.reason}`);
      return faults;
    },
  };
  return broken === undefined ? scenario : { ...scenario, store: () => broken(memoryStore()) };
}
