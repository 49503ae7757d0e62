import type { PoolStatistics } from '@nestjs-orchestrator/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../libs/core/src/orchestrator/pool/mailbox.js';
import { Box, delivery, type Numbered, send, type Sender, Stage } from './pool-stage.js';

const BOXES = 6;
const kinds = [
  'send',
  'send',
  'send',
  'inside',
  'echo',
  'hang',
  'resume',
  'cancel',
  'turn',
  'turn',
  'time',
] as const;
const action = fc.record({
  kind: fc.constantFrom(...kinds),
  box: fc.nat(BOXES - 1),
  count: fc.integer({ min: 1, max: 9 }),
});
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** A pool of tiny budgets under a list of actions, and what each machine should have seen. */
class Trial {
  readonly stage = new Stage();
  readonly pool;
  readonly boxes: readonly Box[];
  readonly expected: number[][];
  readonly lined: { readonly sender: Sender; readonly at: number }[] = [];
  afterWork: PoolStatistics | undefined = undefined;
  private n = 0;

  constructor(poolSize: number) {
    const tiny = { channelBudget: 4, mailboxBudget: 3, mailboxSlice: 2, shrinkAfterMs: 10 };
    this.pool = this.stage.pool({ poolSize, maxPoolSize: 40, growthFactor: 1.6, ...tiny });
    this.boxes = Array.from({ length: BOXES }, () => new Box(this.pool));
    this.expected = this.boxes.map(() => []);
  }

  readonly does: { readonly [K in (typeof kinds)[number]]: (at: number, count: number) => void } = {
    send: (at, count) => {
      for (let sent = 0; sent < count; sent += 1) this.send(at);
    },
    /** As a step does: never waits. It may go before those in line, so only where there is none. */
    inside: (at, count) => {
      if (this.lined.some((line) => line.at === at && line.sender.state === 'waits')) return;
      for (let sent = 0; sent < count; sent += 1) {
        this.expected[at]?.push((this.n += 1));
        this.pool.deliver(this.box(at), { n: this.n }, undefined);
      }
    },
    /** Its next step sends to others and to itself as somebody outside would, and so may make the pool grow in the middle of a step. */
    echo: (at, count) => {
      this.box(at).does = () => {
        this.box(at).does = () => true;
        for (let sent = 0; sent < count; sent += 1) this.send((at + sent) % BOXES);
        return true;
      };
    },
    hang: (at) => {
      this.box(at).does = () => false;
    },
    resume: (at) => {
      this.box(at).does = () => true;
      if (this.box(at).phase === 'busy') this.pool.resume(this.box(at));
    },
    cancel: (_, count) => {
      const line = this.lined.filter(({ sender }) => sender.state === 'waits' && !sender.cancelled)[count];
      if (line === undefined) return;
      line.sender.cancelled = true;
      this.expected[line.at] = (this.expected[line.at] ?? []).filter((n) => n !== line.sender.event.n);
    },
    turn: () => this.stage.turn(),
    time: () => this.stage.advance(10),
  };

  run(actions: readonly Action[]): void {
    for (const { kind, box, count } of actions) this.does[kind](box, count);
    for (let at = 0; at < BOXES; at += 1) this.does.resume(at, 0);
    for (let turns = 0; turns < 200; turns += 1) this.stage.turn();
    this.afterWork = this.pool.statistics();
    for (let looks = 0; looks < 10; looks += 1) this.stage.advance(10);
  }

  private send(at: number): void {
    this.expected[at]?.push((this.n += 1));
    const sender = send(this.pool, this.box(at), this.n);
    if (sender.state === 'waits') this.lined.push({ sender, at });
  }

  private box(at: number): Box {
    return this.boxes[at] as Box;
  }
}

describe('the order of events', () => {
  it('of each machine is kept while the pool grows and shrinks at any moment, whoever waits, hangs or gives up', () => {
    let [grew, shrank, waited] = [0, 0, 0];
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 20, maxLength: 120, size: 'max' }),
        fc.integer({ min: 1, max: 4 }),
        (actions, poolSize) => {
          const trial = new Trial(poolSize);
          trial.run(actions);
          expect(trial.boxes.map(({ handled }) => handled)).toEqual(trial.expected);
          expect(trial.afterWork).toMatchObject({ queued: 0, readyMailboxes: 0 });
          const statistics = trial.pool.statistics();
          expect(statistics).toMatchObject({
            queued: 0,
            readyMailboxes: 0,
            utilization: 0,
            channels: poolSize,
          });
          grew += statistics.growths;
          shrank += statistics.shrinks;
          waited += trial.lined.length;
        },
      ),
      { numRuns: 400 },
    );
    expect(Math.min(grew, shrank, waited)).toBeGreaterThan(100);
  });

  it('of waiting senders is kept when channels become fewer', () => {
    const stage = new Stage();
    const pool = stage.pool({ poolSize: 8, maxPoolSize: 16, channelBudget: 2, shrinkAfterMs: 10 });
    const boxes = Array.from({ length: 16 }, () => new Box(pool));
    const together = [boxes[0], boxes[8]] as [Box, Box];
    const senders = Array.from({ length: 12 }, (_, n) => send(pool, together[n % 2] as Box, n));
    const entered: number[] = [];
    for (const sender of senders) {
      if (sender.state === 'waits') sender.accepted = () => void entered.push(sender.event.n);
    }
    expect(pool.statistics()).toMatchObject({ channels: 16, growths: 1 });
    stage.advance(10);
    stage.advance(10);
    expect(pool.statistics()).toMatchObject({ channels: 8, shrinks: 1 });
    stage.turn();
    expect(entered).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('a mailbox', () => {
  it('forgets withdrawn events, however many, and keeps the others in order', () => {
    const box = new Box(new Stage().pool());
    const kept: number[] = [];
    const deliveries: Delivery[] = [];
    for (let n = 0; n < 1_000; n += 1) {
      const one = delivery();
      box.push({ n }, one);
      if (n % 7 === 0) kept.push(n);
      else deliveries.push(one);
    }
    for (const one of deliveries) box.withdraw(one);
    expect(box.queued).toBe(kept.length);
    const taken: number[] = [];
    for (let event = box.take(); event !== undefined; event = box.take()) taken.push((event as Numbered).n);
    expect(taken).toEqual(kept);
  });

  it('is a queue from which events can be taken out', () => {
    const steps = fc.array(
      fc.oneof(fc.constant('take'), fc.constant('push'), fc.constant('push'), fc.nat(30)),
    );
    fc.assert(
      fc.property(steps, (list) => {
        const box = new Box(new Stage().pool());
        const model: { readonly n: number; readonly delivery: Delivery }[] = [];
        const taken: unknown[] = [];
        const modelTaken: unknown[] = [];
        for (const [n, step] of list.entries()) {
          if (step === 'push') {
            model.push({ n, delivery: delivery() });
            box.push({ n }, model.at(-1)?.delivery);
          } else if (step === 'take') {
            taken.push(box.take());
            const first = model.shift();
            modelTaken.push(first && { n: first.n });
          } else if (typeof step === 'number' && step < model.length) {
            for (const { delivery } of model.splice(step, 1)) box.withdraw(delivery);
          }
        }
        expect(taken).toEqual(modelTaken);
        expect(box.queued).toBe(model.length);
      }),
    );
  });
});
