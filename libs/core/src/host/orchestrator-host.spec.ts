import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryStore } from '../memory/index.js';
import { message, type MessageType } from '../message/message.js';
import { type } from '../message/standard-schema.js';
import type { MessageContext } from '../bus/message-context.js';
import type { LogFields, Logger } from '../ports/logger.js';
import { systemClock } from '../ports/system-clock.js';
import type { ErasedHandler, SagaBehaviour, TransitionSpec } from '../saga/behaviour.js';
import type { SagaContext } from '../saga/contexts.js';
import { defineSaga } from '../saga/define-saga.js';
import { OrchestratorHost } from './orchestrator-host.js';

const ref = z.object({ orderId: z.string() });
class Placed extends message('t.placed', ref.extend({ cents: z.int() })) {}
class Charge extends message('t.charge', ref.extend({ cents: z.int() })) {}
class Paid extends message('t.paid', ref.extend({ transactionId: z.string() })) {}
class Refused extends message('t.refused', ref) {}
class Shipped extends message('t.shipped', ref.extend({ ok: z.boolean() })) {}

interface Order {
  orderId: string;
  cents: number;
  transactionId?: string;
}

const definition = defineSaga({
  name: 'order',
  version: 1,
  data: type<Order>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment', 'awaitingShipment'],
  ends: { completed: 'success', failed: 'undo' },
  events: [Placed, Paid, Refused, Shipped],
  compensations: { refund: ref, cancelShipment: ref },
});

type Ctx<M> = SagaContext<M, Order, { refund: { orderId: string }; cancelShipment: { orderId: string } }>;

function on(
  event: MessageType,
  during: string | readonly string[],
  to: TransitionSpec['to'],
  handler?: (ctx: Ctx<never>) => unknown,
): TransitionSpec {
  const states = typeof during === 'string' ? [during] : during;
  return {
    trigger: { kind: during.length === 0 ? 'start' : 'event', event },
    during: states,
    to,
    guard: undefined,
    handler: handler as ErasedHandler | undefined,
    label: `on ${event.messageName}`,
  };
}

/** The log is the observer: a line is written only after its commit. */
class Lines implements Logger {
  readonly all: string[] = [];
  private readonly waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  seen(text: string): Promise<void> {
    if (this.all.some((line) => line.includes(text))) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ text, resolve }));
  }

  private write(line: string, fields?: LogFields): void {
    this.all.push(`${line} ${JSON.stringify(fields ?? {})}`);
    for (const entry of this.waiting) if (line.includes(entry.text)) entry.resolve();
  }
  debug = this.write.bind(this);
  info = this.write.bind(this);
  warn = this.write.bind(this);
  error = this.write.bind(this);
}

interface Scene {
  readonly host: OrchestratorHost;
  readonly lines: Lines;
  readonly undone: string[];
  readonly charges: string[];
}

let open: OrchestratorHost | undefined;
afterEach(async () => open?.close());

async function scene(
  options: {
    pays?: boolean;
    silent?: boolean;
    timeoutMs?: number;
    failUndo?: number;
    onPaid?: () => void;
  } = {},
): Promise<Scene> {
  const lines = new Lines();
  const undone: string[] = [];
  const charges: string[] = [];
  let failures = options.failUndo ?? 0;
  const behaviour: SagaBehaviour = {
    definition,
    label: 'OrderSaga',
    hooks: [],
    joins: new Map(),
    transitions: [
      on(Placed, [], 'awaitingPayment', (ctx) => {
        const { orderId, cents } = ctx.event as Placed;
        ctx.compensateWith('refund', { orderId });
        ctx.send(new Charge({ orderId, cents }));
        return { orderId, cents };
      }),
      on(Paid, 'awaitingPayment', 'awaitingShipment', (ctx) => {
        options.onPaid?.();
        ctx.data.transactionId = (ctx.event as Paid).transactionId;
        ctx.compensateWith('cancelShipment', { orderId: ctx.data.orderId });
      }),
      on(Refused, ['awaitingPayment', 'awaitingShipment'], 'failed'),
      on(Shipped, 'awaitingShipment', ['completed', 'failed'], (ctx) =>
        (ctx.event as Shipped).ok ? 'completed' : 'failed',
      ),
      {
        trigger: { kind: 'after', delayMs: options.timeoutMs ?? 3_600_000 },
        during: ['awaitingPayment'],
        to: 'failed',
        guard: undefined,
        handler: undefined,
        label: 'time-out',
      },
    ],
    compensations: new Map([
      ['refund', (input: { orderId: string }) => void undone.push(`refund ${input.orderId}`)],
      [
        'cancelShipment',
        (input: { orderId: string }) => {
          if (failures-- > 0) throw new Error('carrier is away');
          undone.push(`cancel ${input.orderId}`);
        },
      ],
    ]),
  };
  const host = new OrchestratorHost({
    store: memoryStore({ clock: systemClock }),
    logger: lines,
    retryDelayMs: 1,
  });
  host.register(behaviour);
  host.registerHandler({
    message: Charge,
    name: 'payments.charge',
    handle: (ctx: MessageContext<Charge>) => {
      charges.push(ctx.message.orderId);
      if (options.silent === true) return;
      const { orderId } = ctx.message;
      ctx.publish(
        options.pays === false ? new Refused({ orderId }) : new Paid({ orderId, transactionId: 't1' }),
      );
    },
  });
  open = host;
  await host.start();
  return { host, lines, undone, charges };
}

describe('OrchestratorHost', () => {
  it('takes an order from its start to its end', async () => {
    const { host, lines, undone } = await scene();
    await host.bus.publish(new Placed({ orderId: 'o1', cents: 5 }));
    await lines.seen('awaitingPayment → awaitingShipment');
    await host.bus.publish(new Shipped({ orderId: 'o1', ok: true }));
    await lines.seen('→ completed');
    const order = await host.repository(definition).findByCorrelation('o1');
    expect(order).toMatchObject({
      state: 'completed',
      status: 'completed',
      data: { orderId: 'o1', cents: 5, transactionId: 't1' },
    });
    expect(order?.endedAt).toBeInstanceOf(Date);
    expect(undone).toEqual([]);
    const history = await host.repository(definition).history(order?.id ?? '');
    expect(history.map((line) => [line.kind, line.name, line.to])).toEqual([
      ['created', 't.placed', 'awaitingPayment'],
      ['transition', 't.paid', 'awaitingShipment'],
      ['transition', 't.shipped', 'completed'],
    ]);
  });

  it('undoes what was done, last first, when an order ends in an undo end', async () => {
    const { host, lines, undone } = await scene();
    await host.bus.publish(new Placed({ orderId: 'o2', cents: 5 }));
    await lines.seen('awaitingPayment → awaitingShipment');
    await host.bus.publish(new Shipped({ orderId: 'o2', ok: false }));
    await lines.seen('compensated');
    expect(undone).toEqual(['cancel o2', 'refund o2']);
    const order = await host.repository(definition).findByCorrelation('o2');
    expect(order).toMatchObject({ state: 'failed', status: 'compensated' });
    expect(order?.undo.map((step) => [step.name, step.status])).toEqual([
      ['refund', 'done'],
      ['cancelShipment', 'done'],
    ]);
  });

  it('tries a compensation again that fails, and says so when it fails for good', async () => {
    const passing = await scene({ failUndo: 2 });
    await passing.host.bus.publish(new Placed({ orderId: 'o3', cents: 5 }));
    await passing.lines.seen('→ awaitingShipment');
    await passing.host.bus.publish(new Refused({ orderId: 'o3' }));
    await passing.lines.seen('compensated');
    expect(passing.undone).toEqual(['cancel o3', 'refund o3']);
    await passing.host.close();

    const failing = await scene({ failUndo: 1_000 });
    await failing.host.bus.publish(new Placed({ orderId: 'o4', cents: 5 }));
    await failing.lines.seen('→ awaitingShipment');
    await failing.host.bus.publish(new Refused({ orderId: 'o4' }));
    await failing.lines.seen('failed for good');
    const order = await failing.host.repository(definition).findByCorrelation('o4');
    expect(order).toMatchObject({ state: 'failed', status: 'compensation-failed' });
    expect(order?.undo).toMatchObject([
      { name: 'refund', status: 'recorded' },
      { name: 'cancelShipment', status: 'failed', error: 'Error: carrier is away' },
    ]);
    expect(failing.undone).toEqual([]);
  });

  it('leaves a state when its time-out is over, and records an answer that comes too late', async () => {
    const { host, lines, undone } = await scene({ silent: true, timeoutMs: 5 });
    await host.bus.publish(new Placed({ orderId: 'o5', cents: 5 }));
    await lines.seen('compensated');
    expect(undone).toEqual(['refund o5']);
    await host.bus.publish(new Paid({ orderId: 'o5', transactionId: 'late' }));
    await lines.seen('late t.paid');
    const order = await host.repository(definition).findByCorrelation('o5');
    expect(order).toMatchObject({ state: 'failed', status: 'compensated' });
    expect(order?.data.transactionId).toBeUndefined();
  });

  it('handles a message that is offered twice once', async () => {
    const { host, lines, charges } = await scene();
    await host.bus.publish(new Placed({ orderId: 'o6', cents: 5 }), { id: 'm1' });
    await lines.seen('→ awaitingShipment');
    await host.bus.publish(new Placed({ orderId: 'o6', cents: 5 }), { id: 'm1' });
    await host.bus.publish(new Shipped({ orderId: 'o6', ok: true }));
    await lines.seen('→ completed');
    expect(charges).toEqual(['o6']);
    const order = await host.repository(definition).findByCorrelation('o6');
    expect(order?.version).toBe(3);
  });

  it('keeps a message for an instance that does not exist yet', async () => {
    const { host, lines } = await scene();
    await host.bus.publish(new Shipped({ orderId: 'o7', ok: true }));
    await lines.seen('parked');
    await host.bus.publish(new Placed({ orderId: 'o7', cents: 5 }));
    await lines.seen('→ completed');
    const order = await host.repository(definition).findByCorrelation('o7');
    const history = await host.repository(definition).history(order?.id ?? '');
    expect(history.map((line) => line.name)).toEqual(['t.placed', 't.paid', 't.shipped']);
  });

  it('keeps a message that no state answers yet, and handles it when one does', async () => {
    const { host, lines } = await scene({ silent: true });
    // The handler stays silent, so the order waits for its payment while the carrier answers already.
    await host.bus.publish(new Placed({ orderId: 'o8', cents: 5 }));
    await lines.seen('created');
    await host.bus.publish(new Shipped({ orderId: 'o8', ok: true }));
    await lines.seen('deferred t.shipped');
    await host.bus.publish(new Paid({ orderId: 'o8', transactionId: 't9' }));
    await lines.seen('→ completed');
    const order = await host.repository(definition).findByCorrelation('o8');
    const history = await host.repository(definition).history(order?.id ?? '');
    expect(history.map((line) => line.kind)).toEqual(['created', 'deferred', 'transition', 'transition']);
  });

  it('says with saga, id, tenant, state and message id that a handler failed, and tries again', async () => {
    let failures = 1;
    const { host, lines } = await scene({
      onPaid: () => {
        if (failures-- > 0) throw new Error('no luck');
      },
    });
    await host.bus.publish(new Placed({ orderId: 'o9', cents: 5 }));
    await lines.seen('→ awaitingShipment');
    const order = await host.repository(definition).findByCorrelation('o9');
    const line = lines.all.find((text) => text.includes('t.paid failed: Error: no luck')) ?? '';
    expect(JSON.parse(line.slice(line.indexOf('{')))).toMatchObject({
      saga: 'order',
      id: order?.id,
      tenant: 'default',
      state: 'awaitingPayment',
      messageId: expect.any(String) as string,
    });
  });
});

it('a node that is closed while it starts is closed when it has started', async () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const store = memoryStore();
  const slow = new Proxy(store, {
    get: (of, name) => {
      if (name === 'start') return () => gate.then(() => of.start());
      const value: unknown = Reflect.get(of, name);
      return typeof value === 'function' ? (value.bind(of) as unknown) : value;
    },
  });
  const host = new OrchestratorHost({ store: slow });
  const ends = Promise.all([host.start(), host.close()]);
  release();
  await ends;
  expect(await host.health()).toMatchObject({ status: 'down', error: 'not started' });
});
