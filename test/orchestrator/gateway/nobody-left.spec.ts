import { gateway } from '@nestjs-orchestrator/core';
import { memoryTransport, type MemoryNetwork } from '@nestjs-orchestrator/core/memory';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it } from 'vitest';
import {
  GatewayNode,
  type NodeGround,
} from '../../../libs/core/src/orchestrator/cluster/gateway/gateway-node.js';
import { gate, rejection } from '../support.js';
import { ledger, turns } from '../transport/support.js';
import { companySelf, gatewayHeard, type Process, world } from './support.js';

const books = (cluster: string) => ({ cluster, group: 'ledgers', machine: 'books' });

/** What somebody is told who sends to a machine of another cluster. */
const told = ({ group }: Process, cluster: string) =>
  rejection(group.ref(books(cluster)).send({ type: 'ADD', entry: 'x' }));

/** `g1` of `plant-1` is active, `g2` stands by; `plant-2` has a gateway. */
async function plants() {
  const set = world();
  const g1 = await set.joinGateway('plant-1', 'g1');
  const g2 = await set.joinGateway('plant-1', 'g2');
  await set.joinGateway('plant-2', 'g3');
  const one = await set.join('plant-1', 'one');
  const two = await set.join('plant-2', 'two');
  const far = await set.join('company', 'far');
  await one.group.spawn(ledger, { id: 'books' });
  await far.group.spawn(ledger, { id: 'books' });
  for (const { group } of [far, two]) await group.ref(books('plant-1')).send({ type: 'ADD', entry: 'first' });
  await one.group.ref(books('company')).send({ type: 'ADD', entry: 'first' });
  const plant = set.networkOf('plant-1');
  /** It is gone from both clusters. */
  const kill = (one: Process): void => {
    set.company.lose(companySelf(far, one));
    plant.lose(one.self);
  };
  return { ...set, g1, g2, one, two, far, plant, kill };
}

describe('a cluster whose gateway is gone', () => {
  it('is being taken over as long as somebody stands by who can', async () => {
    const { one, g1, plant } = await plants();
    // Its lease lasts.
    plant.lose(g1.self);
    await turns();
    expect(await told(one, 'company')).toMatchObject({ reason: 'taking-over', retryable: true });
  });

  it('has none where all are gone, from wherever it is sought; what is sent again arrives when one is there', async () => {
    const { one, two, far, g1, g2, kill, joinGateway } = await plants();
    // The second one takes over, and goes as well.
    kill(g1);
    await turns();
    kill(g2);
    await turns();
    const gone = { code: 'CLUSTER_UNREACHABLE', reason: 'no-gateway', retryable: true };
    expect(await told(far, 'plant-1')).toMatchObject(gone);
    expect(await told(two, 'plant-1')).toMatchObject(gone);
    expect(await told(one, 'company')).toMatchObject(gone);
    expect((await told(one, 'company')).message).toContain('start one');
    // It learns in `company` that there were others before.
    const heard = [gatewayHeard(far), gatewayHeard(one)];
    await joinGateway('plant-1', 'g4');
    await Promise.all(heard);
    await far.group.ref(books('plant-1')).send({ type: 'ADD', entry: 'again' });
    await one.group.ref(books('company')).send({ type: 'ADD', entry: 'again' });
  });

  it('never had one where nobody was heard of', async () => {
    const { far } = await plants();
    expect(await told(far, 'plant-9')).toMatchObject({ reason: 'no-gateway', retryable: false });
  });
});

describe('a gateway that is closed', () => {
  it('does not wait for a place in its own cluster that it can not have', async () => {
    const { far, g1, g2, join, networkOf, company, kill } = await plants();
    kill(g2);
    const [claiming, mayClaim] = [gate(), gate()];
    const local = shutting(networkOf('plant-1'));
    const distributed = claimingBy(company, (name) => {
      if (name !== '/plant-1/') return undefined;
      claiming.open();
      return mayClaim.opened;
    });
    const g5 = await join('plant-1', 'g5', {
      transports: {
        gateway: gateway({ local: local.transport, distributed: distributed.transport, joins: 'company' }),
      },
    });
    distributed.isHeld = true;
    kill(g1);
    await claiming.opened;
    local.isShut = true;
    networkOf('plant-1').expel(g5.self);
    await turns();
    const released = g5.group.release();
    mayClaim.open();
    await released;
    await turns();
    expect(far.group.processes().map(({ endpoint }) => endpoint)).not.toContain('plant-1.g5');
  });

  it('while it joins for the first time leaves the place that it gets', async () => {
    const { company, networkOf, far } = await plants();
    const mayJoin = gate();
    const inner = memoryTransport(company);
    const distributed: Transport = {
      type: 'held',
      join: (...args) => mayJoin.opened.then(() => inner.join(...args)),
    };
    const seat = await memoryTransport(networkOf('plant-7')).join(
      { cluster: 'plant-7', endpoint: 'g7', clock: systemClock, logger: silentLogger },
      { onFrame: () => undefined, onPeer: () => undefined },
    );
    const nothing = (): void => undefined;
    const ground: NodeGround = {
      cluster: 'plant-7',
      endpoint: 'g7',
      seat,
      place: () => seat,
      clock: systemClock,
      logger: silentLogger,
      linkContext: () => ({}) as ReturnType<NodeGround['linkContext']>,
      toMember: nothing,
      knownEpoch: () => 0,
      greetMember: nothing,
      leftMember: nothing,
      published: nothing,
    };
    const options = gateway({ local: memoryTransport(networkOf('plant-7')), distributed, joins: 'company' });
    const node = new GatewayNode(options, ground);
    const begun = node.begin();
    const closed = node.close();
    mayJoin.open();
    await Promise.all([begun, closed]);
    await turns();
    expect(far.group.processes().map(({ endpoint }) => endpoint)).not.toContain('plant-7.g7');
    expect(await seat.names()).toEqual([]);
    await seat.leave();
  });
});

/** Nobody joins while it is shut. */
function shutting(network: MemoryNetwork): { isShut: boolean; readonly transport: Transport } {
  const inner = memoryTransport(network);
  const door = { isShut: false };
  const transport: Transport = {
    type: 'shutting',
    join: (...args) => (door.isShut ? Promise.reject(new Error('the door is shut')) : inner.join(...args)),
  };
  return Object.assign(door, { transport });
}

/** Claims wait, when it is held, for what is said of their names. */
function claimingBy(
  network: MemoryNetwork,
  wait: (name: string) => Promise<void> | undefined,
): { isHeld: boolean; readonly transport: Transport } {
  const inner = memoryTransport(network);
  const hold = { isHeld: false };
  const transport: Transport = {
    type: 'held',
    join: async (...args) => {
      const seat = await inner.join(...args);
      const claim = seat.claim.bind(seat);
      seat.claim = async (name, about) => {
        if (hold.isHeld) await wait(name);
        await claim(name, about);
      };
      return seat;
    },
  };
  return Object.assign(hold, { transport });
}
