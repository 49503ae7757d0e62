import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import {
  countedIds,
  faultPoints,
  seededRandom,
  VirtualClock,
  type FaultRecorder,
} from '@nestjs-orchestrator/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { counter, counting, Counted, Opened } from './counter.js';
import { CALM, storeKinds } from './support.js';

const id = 'hot';
const NODES = 4;
const SENDERS = 16;
const EVENTS = 1_000;

// Alone on its store: a node whose time stands still may take work of the others, and would wait for ever before it tries again.
describe.each(storeKinds)('one instance with many senders, on $kind', (kind) => {
  let opened: Awaited<ReturnType<typeof kind.open>>;
  let nodes: OrchestratorHost[];
  beforeEach(async () => {
    opened = await kind.open();
    nodes = await Promise.all(
      Array.from({ length: 2 }, async () => {
        const host = new OrchestratorHost({ store: (await opened.connect()).store });
        host.register(counting);
        await host.start();
        return host;
      }),
    );
  });
  afterEach(async () => {
    for (const node of nodes) await node.close();
    await opened.close();
  });

  it(`loses none of ${EVENTS} events of ${SENDERS} senders`, async () => {
    const [node] = nodes as [OrchestratorHost];
    const repository = node.repository(counter);
    await node.bus.publish(new Opened({ id: 'busy' }));
    await repository.waitUntil({ key: 'busy' }, 'open');
    const senders = Array.from({ length: SENDERS }, async (_, sender) => {
      for (let n = sender; n < EVENTS; n += SENDERS)
        await nodes[sender % 2]?.bus.publish(new Counted({ id: 'busy' }), { id: `event ${n}` });
    });
    await Promise.all(senders);
    const all = await repository.waitUntil({ key: 'busy' }, ({ data }) => data.count >= EVENTS, {
      timeout: '5m',
    });
    expect(all.data.count).toBe(EVENTS);
  });
});

describe.each(storeKinds)('one contended instance, on $kind', (kind) => {
  let clock: VirtualClock;
  let opened: Awaited<ReturnType<typeof kind.open>>;
  let faults: FaultRecorder[];
  let hosts: OrchestratorHost[];
  beforeEach(async () => {
    clock = new VirtualClock();
    opened = await kind.open();
    hosts = [];
    faults = [];
    for (let n = 0; n < NODES; n++) {
      const { store } = await opened.connect();
      const recorder = faultPoints();
      const host = new OrchestratorHost({
        store: clock.tracked(store, `node-${n}`, ['transaction']),
        clock,
        faults: recorder,
        ids: countedIds(`node-${n}`),
        random: seededRandom(n),
        ...CALM,
      });
      host.register(counting);
      await host.start();
      hosts.push(host);
      faults.push(recorder);
    }
  });
  afterEach(async () => {
    for (const host of hosts) await host.close();
    await opened.close();
  });
  const nodeOf = (n: number): OrchestratorHost => hosts[n % NODES] as OrchestratorHost;
  const found = () => nodeOf(0).repository(counter).findByCorrelation(id);

  it('is not written by a node that slept until its lease was over', async () => {
    await nodeOf(0).bus.publish(new Opened({ id }));
    await clock.settled();
    const [sleeper] = faults as [FaultRecorder];
    // The first node loses every race, and so asks for the instance.
    const { version = 0 } = (await found()) ?? {};
    let races = 0;
    const store = clock.tracked((await opened.connect()).store, 'rival', ['transaction']);
    await store.start();
    const race = async (): Promise<void> => {
      const [current] = await store.load(
        [{ tenant: 'default', saga: 'counter', by: { key: { name: 'id', value: id } }, messageId: '' }],
        { now: clock.now() },
      );
      const instance = current?.instance;
      if (!instance) throw new Error('There is no instance to race for.');
      const { tenant, saga, id: ref } = instance;
      races += 1;
      await store.commit(
        [
          {
            ref: { tenant, saga, id: ref },
            expectedVersion: instance.version,
            lease: null,
            supersedes: null,
            next: { ...instance },
            keys: [],
            inbox: null,
            work: [],
            timers: { arm: [], disarm: [] },
            history: [],
            deliveries: { add: [], done: [] },
            wakeIfParked: null,
            done: [],
          },
        ],
        { owner: 'rival', leaseMs: 1_000, now: clock.now() },
      );
    };
    const paused = sleeper.pauseAt('saga.leased');
    const rivals = Array.from({ length: 6 }, (_, n) => {
      const pause = sleeper.pauseAt('saga.commit.before', n + 1);
      return pause.reached.then(race).then(pause.resume);
    });
    await nodeOf(0).bus.publish(new Counted({ id }), { id: 'slow' });
    await clock.settled();
    await clock.advance(2_000);
    await paused.reached;
    expect(races).toBeGreaterThanOrEqual(5);
    const asleep = await found();
    expect(asleep?.version).toBe(version + races);
    // While it sleeps its lease ends, and another node goes on.
    await clock.advance('1m');
    await nodeOf(1).bus.publish(new Counted({ id }), { id: 'quick' });
    await clock.settled();
    await clock.advance('1m');
    paused.resume();
    await clock.settled();
    await clock.advance('1m');
    await Promise.race([Promise.all(rivals), clock.settled()]);
    expect((await found())?.data.count).toBe(2);
  });
});
