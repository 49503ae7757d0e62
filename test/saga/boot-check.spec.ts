import { StoredNamesError, type Duration, type StoredNamesCheck } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore, Logger, StoredInstance } from '@nestjs-orchestrator/core/ports';
import { silentLogger } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { message, type } from '@nestjs-orchestrator/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { spoilt } from './spoilt.js';
import { storeKinds } from './support.js';

const ref = z.object({ id: z.string() });
class Begun extends message('b.begun', ref) {}
class Done extends message('b.done', ref) {}

interface Shape {
  readonly version?: number;
  readonly state?: string;
  readonly compensation?: string;
  readonly after?: Duration;
  readonly migrate?: Readonly<Record<number, { states?: Record<string, string> }>>;
}

function saga({
  version = 1,
  state = 'waiting',
  compensation = 'refund',
  after = '1h',
  migrate = {},
}: Shape = {}): SagaBehaviour {
  const definition = defineSaga({
    name: 'booking',
    version,
    data: type<{ id: string }>(),
    correlateBy: 'id',
    states: [state],
    ends: { done: 'success', failed: 'undo' },
    events: [Begun, Done],
    compensations: { [compensation]: ref },
    migrate,
  });
  return buildSaga(definition, (on) => {
    on.initially()
      .when(Begun)
      .then((ctx) => {
        ctx.compensateWith(compensation, { id: ctx.event.id });
        return { id: ctx.event.id };
      })
      .transitionTo(state);
    on.during(state).when(Done).transitionTo('done').after(after).transitionTo('failed');
    on.compensate(compensation, async () => {});
  }) as SagaBehaviour;
}

describe.each(storeKinds)('the look at stored names when a node starts, on $kind', (kind) => {
  let opened: Awaited<ReturnType<typeof kind.open>>;
  beforeEach(async () => {
    opened = await kind.open();
  });
  afterEach(() => opened.close());

  interface Boot {
    readonly warnings: readonly string[];
    readonly censuses: number;
  }

  /** Starts a node and ends it. */
  async function boot(
    behaviours: readonly SagaBehaviour[],
    check: StoredNamesCheck | undefined,
    work: (host: OrchestratorHost) => Promise<unknown> = async () => undefined,
  ): Promise<Boot> {
    const { store } = await opened.connect();
    const warnings: string[] = [];
    let censuses = 0;
    const logger: Logger = { ...silentLogger, warn: (line) => void warnings.push(line) };
    const counted = new Proxy(store, {
      get: (of, name) => {
        if (name === 'census') censuses += 1;
        const value: unknown = Reflect.get(of, name);
        return typeof value === 'function' ? (value.bind(of) as unknown) : value;
      },
    });
    const host = new OrchestratorHost({
      store: counted,
      logger,
      ...(check === undefined ? {} : { check }),
    });
    for (const behaviour of behaviours) host.register(behaviour);
    try {
      await host.start();
      await work(host);
    } finally {
      await host.close();
    }
    return { warnings, censuses };
  }

  const begin = (id: string) => async (host: OrchestratorHost) => {
    await host.bus.publish(new Begun({ id }));
    await host.repository(saga().definition).waitUntil({ key: id }, () => true);
  };

  const lacking: readonly (readonly [what: string, build: Shape, kind: string])[] = [
    ['a version', { version: 2 }, 'unknown-version'],
    ['a state', { state: 'asked' }, 'unknown-state'],
    ['a compensation', { compensation: 'repay' }, 'unknown-compensation'],
    ['a time-out', { after: '2h' }, 'unknown-timer'],
    [
      'a compensation after a migration',
      { version: 2, compensation: 'repay', migrate: { 1: {} } },
      'unknown-compensation',
    ],
  ];

  it.each(lacking)('refuses to start without %s that an instance has', async (_, build, finding) => {
    await boot([saga()], 'error', begin('o1'));
    const refused = boot([saga(build)], 'error').catch((error: unknown) => error);
    const error = (await refused) as StoredNamesError;
    expect(error).toBeInstanceOf(StoredNamesError);
    expect(error.findings.map(({ kind: each }) => each)).toContain(finding);
    expect(error.message).toContain("saga 'booking'");
  });

  it.each(lacking)('warns of %s by itself', async (_, build) => {
    await boot([saga()], undefined, begin('o1'));
    const { warnings } = await boot([saga(build)], undefined);
    expect(warnings).toContainEqual(expect.stringContaining("saga 'booking'"));
  });

  it('says of an instance whose undo steps can not be read that they can not, and starts', async () => {
    await boot([saga()], 'error', begin('o1'));
    const { store } = await opened.connect();
    await store.start();
    const by = { key: { name: 'id', value: 'o1' } };
    const [loaded] = await store.load([{ tenant: 'default', saga: 'booking', by, messageId: '' }], {
      now: null,
    });
    await store.commit([spoilt(loaded?.instance as StoredInstance, { undo: '7' })], {
      owner: 'other',
      leaseMs: 0,
      now: null,
    });
    await store.close();
    const build = [saga({ compensation: 'repay' })];
    for (const check of ['error', 'warn'] as const) {
      const { warnings } = await boot(build, check);
      expect(warnings).toEqual([expect.stringMatching(/1 instance of saga 'booking' .* can't be read/)]);
    }
  });

  it('costs no census while nothing is lacking, however much is stored', async () => {
    await boot([saga()], 'error', begin('o1'));
    expect(await boot([saga()], 'error')).toEqual({ warnings: [], censuses: 0 });
    const both = [saga(), saga({ version: 2, state: 'asked' })];
    expect(await boot(both, 'error')).toEqual({ warnings: [], censuses: 0 });
  });

  it('says nothing of names that no living instance has', async () => {
    await boot([saga()], 'error', async (host) => {
      await begin('o1')(host);
      await host.bus.publish(new Done({ id: 'o1' }));
      await host.repository(saga().definition).waitUntil({ key: 'o1' }, 'done');
    });
    expect(await boot([saga({ compensation: 'repay' })], 'error')).toEqual({ warnings: [], censuses: 1 });
  });

  it('starts beside a newer build, whose instances that one continues', async () => {
    await boot([saga(), saga({ version: 2 })], 'error', begin('o1'));
    expect((await boot([saga()], 'error')).warnings).toEqual([]);
    const { warnings } = await boot([saga()], 'warn');
    expect(warnings).toContainEqual(expect.stringContaining('it gives their messages back'));
  });

  it('does not look if it is told so', async () => {
    await boot([saga()], 'off', begin('o1'));
    expect(await boot([saga({ state: 'asked' })], 'off')).toEqual({ warnings: [], censuses: 0 });
  });
});

it('an option that there is not is refused', () => {
  const make = () => new OrchestratorHost({ store: {} as InstanceStore, check: 'perhaps' as never });
  expect(make).toThrow('found perhaps');
});
