import { Injectable } from '@nestjs/common';
import {
  memoryNetwork,
  memoryStore,
  memoryTransport,
  type MemoryNetwork,
} from '@nestjs-orchestrator/core/memory';
import {
  type ChannelGroup,
  defineMachine,
  getChannelGroupToken,
  machineDecorators,
  Orchestrator,
  OrchestratorHealth,
  OrchestratorModule,
  type ActionContext,
  type OrchestratorModuleOptions,
} from '@nestjs-orchestrator/nest';
import { observeOrchestrator } from '@nestjs-orchestrator/nest/metrics';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testMeter } from '../metrics/figures.js';
import { rejection } from '../orchestrator/support.js';
import { boot, named } from './support/application.js';

const till = defineMachine({
  id: 'till',
  initial: 'open',
  states: { open: { on: { PRICE: { actions: 'price' } } } },
});
const { Machine, Action } = machineDecorators(till);

@Injectable()
class Prices {
  readonly of = 42;
}

@Machine()
class Till {
  constructor(private readonly prices: Prices) {}

  @Action('price')
  price(ctx: ActionContext<typeof till>): void {
    ctx.reply(this.prices.of);
  }
}

const TillModule = named('TillModule', {
  imports: [OrchestratorModule.forFeature([till])],
  providers: [Prices, Till],
});

async function application(
  network: MemoryNetwork,
  endpoint: string,
  options: OrchestratorModuleOptions = {},
) {
  const { module } = await boot([TillModule], {
    machines: { name: 'shop' },
    transport: {
      type: 'memory',
      transports: { memory: memoryTransport(network) },
      cluster: 'mall',
      endpoint,
    },
    ...options,
  });
  onTestFinished(() => module.close());
  return { module, orchestrator: module.get(Orchestrator), health: module.get(OrchestratorHealth) };
}

describe('an application with a transport', () => {
  it('joins its machines to those of the others, by configuration alone', async () => {
    const network = memoryNetwork();
    const [one, two] = [await application(network, 'one'), await application(network, 'two')];
    await two.orchestrator.spawn(till, { id: 'till-1' });
    const answer = await one.orchestrator.ref('till-1').request({ type: 'PRICE' });
    expect(answer.reply).toBe(42);
    expect(one.orchestrator.processes().map(({ endpoint }) => endpoint)).toEqual(['one', 'two']);
    expect(await one.orchestrator.machineNames()).toEqual([
      { group: 'shop', id: 'till-1', definition: 'till', endpoint: 'two' },
    ]);
  });

  it('says in its health how it stands among them', async () => {
    const network = memoryNetwork();
    const [one, two] = [await application(network, 'one'), await application(network, 'two')];
    expect((await one.health.check()).orchestrator).toMatchObject({
      status: 'up',
      transport: { type: 'memory', cluster: 'mall', endpoint: 'one', up: ['two'], suspect: [], waiting: 0 },
    });
    const [self] = two.orchestrator.processes();
    network.stall({ name: 'two', incarnation: self?.incarnation ?? '' });
    expect((await one.health.check()).orchestrator).toMatchObject({
      status: 'up',
      transport: { up: [], suspect: ['two'] },
    });
  });

  it('reports the figures of its transport', async () => {
    const network = memoryNetwork();
    const [one, two] = [await application(network, 'one'), await application(network, 'two')];
    await two.orchestrator.spawn(till, { id: 'till-1' });
    const { meter, figures } = testMeter();
    onTestFinished(observeOrchestrator(meter, one.orchestrator));
    const before = await figures();
    await one.orchestrator.ref('till-1').request({ type: 'PRICE' });
    const after = await figures();
    const sent = 'orchestrator.transport.frames_sent{transport=memory}';
    expect(after[sent]).toBeGreaterThan(before[sent] as number);
    expect(after).toMatchObject({
      'orchestrator.transport.peers.current{transport=memory}': 1,
      'orchestrator.transport.waiting.current{transport=memory}': 0,
    });
  });

  it('leaves when it shuts down, after what was under way has ended', async () => {
    const network = memoryNetwork();
    const [one, two] = [await application(network, 'one'), await application(network, 'two')];
    await two.orchestrator.spawn(till, { id: 'till-1' });
    const asked = one.orchestrator.ref('till-1').request({ type: 'PRICE' });
    await one.orchestrator.ref('till-1').send({ type: 'PRICE' });
    await two.module.close();
    expect((await asked).reply).toBe(42);
    expect(one.orchestrator.processes().map(({ endpoint }) => endpoint)).toEqual(['one']);
    expect(await one.orchestrator.machineNames()).toEqual([]);
  });

  it('does not start where its transport is not among those given, or its name is taken, and leaves nothing behind', async () => {
    const network = memoryNetwork();
    const unknown = await rejection(
      application(network, 'one', { transport: { type: 'pigeon', transports: {} } }),
    );
    expect(unknown).toMatchObject({ code: 'TRANSPORT_TYPE', type: 'pigeon', given: ['in-process'] });
    const one = await application(network, 'one');
    expect(await rejection(application(network, 'one'))).toMatchObject({ code: 'ENDPOINT_TAKEN' });
    expect(one.orchestrator.processes()).toHaveLength(1);
  });

  it('takes its type from the environment', async () => {
    const network = memoryNetwork();
    const transports = { memory: memoryTransport(network) };
    const environment = { ORCHESTRATOR_TYPE: 'in-process' };
    const alone = await application(network, 'one', { transport: { transports, environment } });
    expect(alone.orchestrator.stats().cluster).toBeUndefined();
    const joined = await application(network, 'two', {
      transport: { transports, environment: { ORCHESTRATOR_TYPE: 'memory' } },
    });
    expect(joined.orchestrator.stats().cluster).toMatchObject({ type: 'memory', cluster: 'default' });
  });
});

describe('groups that forFeature names', () => {
  const tills = named('NamedTillModule', {
    imports: [OrchestratorModule.forFeature([till], { channelGroup: 'tills' })],
    providers: [Prices, Till],
  });

  async function shop(network: MemoryNetwork, endpoint: string, groups?: 'all' | readonly string[]) {
    const { module } = await boot([tills], {
      machines: { name: 'shop' },
      transport: {
        type: 'memory',
        transports: { memory: memoryTransport(network) },
        endpoint,
        ...(groups === undefined ? {} : { groups }),
      },
    });
    onTestFinished(() => module.close());
    return module.get<ChannelGroup>(getChannelGroupToken('tills'));
  }

  it('join as endpoints of their own where the transport says so', async () => {
    for (const groups of ['all', ['tills']] as const) {
      const network = memoryNetwork();
      const [one, two] = [await shop(network, 'one', groups), await shop(network, 'two', groups)];
      await two.spawn(till, { id: 'till-1' });
      expect((await one.ref('till-1').request({ type: 'PRICE' })).reply).toBe(42);
      const endpoints = one.processes().map(({ endpoint }) => endpoint);
      expect(endpoints.sort()).toEqual(['one', 'one~tills', 'two', 'two~tills']);
    }
  });

  it('stay in their process otherwise', async () => {
    const network = memoryNetwork();
    expect((await shop(network, 'one')).stats().cluster).toBeUndefined();
    expect((await shop(network, 'two', ['others'])).stats().cluster).toBeUndefined();
  });
});

describe('durable machines of an application', () => {
  it('are kept in its store, and go on in the next application', async () => {
    const store = memoryStore();
    const shop = () => boot([TillModule], { machines: { name: 'shop', durable: true }, store });
    const first = await shop();
    await first.module.get(Orchestrator).spawn(till, { id: 'till-1', durable: true });
    await first.module.close();
    const second = await shop();
    onTestFinished(() => second.module.close());
    const ref = second.module.get(Orchestrator).ref('till-1');
    expect((await ref.request({ type: 'PRICE' })).reply).toBe(42);
  });

  it('are refused before the application has started, with the place from which they can begin', async () => {
    const refusals: unknown[] = [];
    @Injectable()
    class TooEarly {
      constructor(private readonly orchestrator: Orchestrator) {}

      async onModuleInit(): Promise<void> {
        refusals.push(await rejection(this.orchestrator.spawn(till, { id: 'till-1', durable: true })));
      }

      async onApplicationBootstrap(): Promise<void> {
        await this.orchestrator.spawn(till, { id: 'till-1', durable: true });
      }
    }
    const EarlyModule = named('EarlyModule', {
      imports: [OrchestratorModule.forFeature([])],
      providers: [TooEarly],
    });
    const options = { machines: { durable: true }, store: memoryStore() };
    const { module } = await boot([TillModule, EarlyModule], options);
    onTestFinished(() => module.close());
    expect(refusals).toMatchObject([{ code: 'DURABLE_UNAVAILABLE', reason: 'not-started' }]);
    expect((refusals[0] as Error).message).toContain('onApplicationBootstrap');
    expect((await module.get(Orchestrator).ref('till-1').request({ type: 'PRICE' })).reply).toBe(42);
  });

  it('are refused without a store, or where nobody has said that they are wished for', async () => {
    for (const options of [{ machines: { durable: true } }, { store: memoryStore() }]) {
      const { module } = await boot([TillModule], options);
      onTestFinished(() => module.close());
      const refused = module.get(Orchestrator).spawn(till, { id: 'till-1', durable: true });
      await expect(refused).rejects.toThrow('machines: { durable: true }');
    }
  });
});
