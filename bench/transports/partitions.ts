import type { PartitionedSeat } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { ANSWER, EVENT, frameOf, itemIn, member, QUESTION } from './faces.js';
import { receiverName, type Item, type PeerOrder, type Received, type Sender } from './wire.js';

const transportOf = ({ addresses, scope }: PeerOrder) =>
  redisStreams(new Redis(addresses.lastingRedis, { lazyConnect: true }), { prefix: scope });

/** Owns its share of the partitions; what it has counted is done. */
export async function serveFrames(order: PeerOrder, { onEvent }: Received): Promise<void> {
  const seat = await transportOf(order).join(member(order, receiverName(order.index)), {
    onFrame: () => undefined,
    onPeer: () => undefined,
  });
  await seat.serve({
    onGained: () => undefined,
    onLost: () => undefined,
    onFrame(_owned, { bytes }) {
      const item = itemIn(bytes);
      if (bytes[0] === EVENT) onEvent(item);
      else {
        const sender = seat.peers().find(({ endpoint }) => endpoint.name === 'sender');
        if (sender !== undefined) void seat.send(sender.endpoint, frameOf(ANSWER, item));
      }
    },
  });
}

/** An event counts as sent when the server has acknowledged it. */
export async function publishFrames(order: PeerOrder, receivers: number): Promise<Sender> {
  const waiting = new Map<number, (item: Item) => void>();
  const seat = await transportOf(order).join(member(order, 'sender'), {
    onFrame(_from, frame) {
      const item = itemIn(frame);
      waiting.get(item.number)?.(item);
      waiting.delete(item.number);
    },
    onPeer: () => undefined,
  });
  const names = await namesOf(seat, receivers);
  let turn = 0;
  const nameFor = (index: number): string => {
    const own = names[index] as readonly string[];
    return own[(turn += 1) % own.length] as string;
  };
  return {
    emit: (index, item) => seat.publish(nameFor(index), frameOf(EVENT, item)),
    ask: (index, item) =>
      new Promise((resolve) => {
        waiting.set(item.number, resolve);
        void seat.publish(nameFor(index), frameOf(QUESTION, item));
      }),
    close: () => seat.leave(),
  };
}

/** Names of each receiver, in all of its partitions, when these are shared out evenly. */
async function namesOf(seat: PartitionedSeat, receivers: number): Promise<readonly (readonly string[])[]> {
  const candidates = Array.from({ length: 1_024 }, (_, n) => `machine-${n}`);
  for (;;) {
    const shares = Array.from({ length: receivers }, (): string[] => []);
    const taken = new Set<number>();
    const owners = await Promise.all(candidates.map((name) => seat.ownerOf(name)));
    owners.forEach((owner, at) => {
      const name = candidates[at] as string;
      if (owner === undefined) return;
      taken.add(seat.partitionOf(name));
      shares[Number(owner.name.slice(receiverName(0).length - 1))]?.push(name);
    });
    const sizes = shares.map((names) => new Set(names.map((name) => seat.partitionOf(name))).size);
    if (taken.size === 64 && Math.max(...sizes) - Math.min(...sizes) <= 1) return shares;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
