import { message, type, type MessageContext } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openPlainCluster, type PlainCluster, type PlainNode } from '../messaging/support.js';
import { storeKinds, type StoreKind } from './support.js';

const ref = z.object({ id: z.string() });
class Begun extends message('j.begun', ref) {}
class Pack extends message('j.pack', ref) {}
class Packed extends message('j.packed', ref) {}

const parcelSaga = defineSaga({
  name: 'parcel',
  version: 1,
  data: type<{ id: string }>(),
  correlateBy: 'id',
  states: ['packing', 'charging', 'resting'],
  ends: { done: 'success', failed: 'undo' },
  events: [Begun, Packed],
  activities: { charge: { input: ref, output: z.object({}), timeout: '1h' } },
});

/** Where a node can stand while the clock jumps. */
const MOMENTS = ['handler', 'commit', 'participant', 'activity', 'timer'] as const;
type Moment = (typeof MOMENTS)[number];

const HOUR = 3_600_000;
/** By how much a clock jumps, and whose: those of nodes are only for what people read, deadlines are instants of the store's. */
const JUMPS = [
  { what: 'the clock of one node jumps forward', of: ['first'], by: HOUR },
  { what: 'the clock of one node jumps back', of: ['first'], by: -HOUR },
  { what: 'the clocks of both nodes jump forward', of: ['first', 'second'], by: HOUR },
  { what: 'the clocks of both nodes jump back', of: ['first', 'second'], by: -HOUR },
  { what: 'the clock of the store jumps forward', of: ['store'], by: HOUR },
  { what: 'the clock of the store jumps back', of: ['store'], by: -HOUR },
] as const;

/** Two nodes whose clocks can jump, each on its own, and the store's. Each parcel is named for the moment at which it is held up. */
class Jumping {
  readonly jumps: Record<string, number> = { store: 0, first: 0, second: 0 };
  /** Ids under which effects were done, by what they are. */
  private readonly effects = new Map<string, Set<string>>();
  readonly standing = new Set<string>();
  /** Moments to which a parcel came again while it stood there. */
  readonly repeated = new Set<string>();
  private open = (): void => {};
  private readonly gate = new Promise<void>((resolve) => (this.open = resolve));
  private readonly nodes: PlainNode[] = [];

  private constructor(readonly cluster: PlainCluster) {}

  static async start(kind: StoreKind): Promise<Jumping> {
    const jumping = new Jumping(await openPlainCluster(kind));
    for (const name of ['first', 'second']) jumping.nodes.push(await jumping.node(name));
    return jumping;
  }

  get first(): OrchestratorHost {
    return (this.nodes[0] as PlainNode).host;
  }

  begin(id: string): Promise<unknown> {
    return this.first.bus.publish(new Begun({ id }), { id: `begin ${id}` });
  }

  /** Lets parcels run until one stands at each of the moments. */
  async holdAll(): Promise<void> {
    const { clock } = this.cluster;
    const pauses = this.nodes.map(({ faults }) => faults.pauseAt('saga.commit.before'));
    for (const { reached } of pauses) void reached.then(() => this.standing.add('commit'));
    void this.gate.then(() => pauses.forEach(({ resume }) => resume()));
    for (const moment of MOMENTS) {
      await this.begin(moment);
      await clock.runUntil(() => this.standing.has(moment));
    }
  }

  resume(): void {
    this.open();
  }

  /** Under how many ids each effect was done. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.effects].map(([effect, ids]) => [effect, ids.size]));
  }

  private async pass(moment: Moment, id: string): Promise<void> {
    if (moment !== id) return;
    if (this.standing.has(moment)) this.repeated.add(moment);
    this.standing.add(moment);
    await this.gate;
  }

  private done(effect: string, id: string): void {
    this.effects.set(effect, (this.effects.get(effect) ?? new Set()).add(id));
  }

  private node(name: string): Promise<PlainNode> {
    const { clock } = this.cluster;
    const { jumps } = this;
    const behaviour = buildSaga(parcelSaga, (saga) => {
      saga
        .initially()
        .when(Begun)
        .then(async (ctx) => {
          await this.pass('handler', ctx.event.id);
          ctx.send(new Pack({ id: ctx.event.id }));
          return { id: ctx.event.id };
        })
        .transitionTo('packing');
      saga
        .during('packing')
        .when(Packed)
        .then((ctx) => ctx.invoke('charge', { id: ctx.data.id }))
        .transitionTo('charging');
      saga
        .during('charging')
        .onDone('charge')
        .transitionTo('resting')
        .onFailed('charge')
        .transitionTo('failed');
      saga
        .during('resting')
        .after('2m')
        .then((ctx) => this.pass('timer', ctx.data.id))
        .transitionTo('done');
      saga.activity('charge', async ({ id }, ctx) => {
        await this.pass('activity', id);
        this.done(`charge ${id}`, ctx.idempotencyKey);
        return {};
      });
    });
    return this.cluster.node(
      name,
      (host) => {
        host.register(behaviour);
        host.registerHandler({
          message: Pack,
          name: 'packer',
          handle: async (ctx: MessageContext<Pack>) => {
            await this.pass('participant', ctx.message.id);
            this.done(`pack ${ctx.message.id}`, ctx.id);
            ctx.publish(new Packed({ id: ctx.message.id }));
          },
        });
      },
      {
        // Longer than anybody stands still here.
        handlerTimeoutMs: 600_000,
        // An hour goes by: each look that finds nothing costs a real store as much as one that does.
        pollIntervalMs: name === 'first' ? 60_000 : 15_000,
        leaseMs: 60_000,
        clock: {
          now: () => clock.now() + (jumps[name] as number),
          monotonic: () => clock.monotonic(),
          storeNow: () => clock.storeNow() + (jumps['store'] as number),
          schedule: (delayMs, task) => clock.schedule(delayMs, task),
        },
      },
    );
  }
}

let jumping: Jumping | undefined;
afterEach(async () => {
  jumping?.resume();
  // A failed test would leave work that waits for its next try, and nodes wait for their work.
  await jumping?.cluster.clock.advance('5m');
  await jumping?.cluster.close();
});

describe.each(storeKinds)('on $kind', (kind) => {
  it.each(JUMPS)(
    '$what by an hour: what is under way is neither lost nor done twice, and new work goes on',
    async ({ of, by }) => {
      jumping = await Jumping.start(kind);
      const { cluster, first, jumps } = jumping;
      const { clock } = cluster;
      await jumping.holdAll();
      // Past the instant at which leases were prolonged last.
      await clock.advance('1s');
      for (const name of of) jumps[name] = by;
      // The second node looks before the first one prolongs its leases: what it must think is left runs there as well.
      await clock.advance('30s');
      const again = by > 0 && of[0] === 'store' ? ['activity', 'handler', 'participant', 'timer'] : [];
      expect([...jumping.repeated].toSorted()).toEqual(again);
      jumping.resume();
      await jumping.begin('new');
      await clock.advance('3m');
      const parcels = first.repository(parcelSaga);
      expect(await parcels.findByCorrelation('new')).toMatchObject({ state: 'done', status: 'completed' });
      // A time-out is an instant of the store: its clock has to come there again.
      if (by < 0 && of[0] === 'store') await clock.advance('1h');
      const all = [...MOMENTS, 'new'];
      const states = all.map(async (id) => [id, (await parcels.findByCorrelation(id))?.state]);
      expect(await Promise.all(states)).toEqual(all.map((id) => [id, 'done']));
      const once = all.flatMap((id) => [`charge ${id}`, `pack ${id}`]);
      expect(jumping.counts()).toEqual(Object.fromEntries(once.map((effect) => [effect, 1])));
      expect(await cluster.store.deadLetters({ tenant: 'default' })).toEqual([]);
    },
  );
});
