import { createOrchestrator, defineMachine } from '@nestjs-orchestrator/core';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import {
  itemOf,
  ourTransport,
  receiverName,
  type Item,
  type PeerOrder,
  type Received,
  type Sender,
} from './wire.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const EVENT = 0;
export const QUESTION = 1;
export const ANSWER = 2;

export function frameOf(kind: number, item: Item): Uint8Array {
  const text = encoder.encode(JSON.stringify(item));
  const frame = new Uint8Array(text.length + 1);
  frame[0] = kind;
  frame.set(text, 1);
  return frame;
}

export const itemIn = (frame: Uint8Array): Item => JSON.parse(decoder.decode(frame.subarray(1))) as Item;
export const member = (order: PeerOrder, endpoint: string) => ({
  cluster: order.scope,
  endpoint,
  clock: systemClock,
  logger: silentLogger,
});

export async function receiveFrames(order: PeerOrder, { onEvent }: Received): Promise<void> {
  const seat = await ourTransport(order).join(member(order, receiverName(order.index)), {
    onFrame(from, frame) {
      const item = itemIn(frame);
      if (frame[0] === EVENT) onEvent(item);
      else void seat.send(from, frameOf(ANSWER, item));
    },
    onPeer: () => undefined,
  });
}

export async function sendFrames(order: PeerOrder, receivers: number): Promise<Sender> {
  const waiting = new Map<number, (item: Item) => void>();
  const seat = await ourTransport(order).join(member(order, 'sender'), {
    onFrame(_from, frame) {
      const item = itemIn(frame);
      waiting.get(item.number)?.(item);
      waiting.delete(item.number);
    },
    onPeer: () => undefined,
  });
  const peers = seat.peers();
  const to = Array.from(
    { length: receivers },
    (_, at) => peers.find(({ endpoint }) => endpoint.name === receiverName(at))?.endpoint as Endpoint,
  );
  return {
    emit(index, item) {
      const frame = frameOf(EVENT, item);
      return seat.trySend(to[index] as Endpoint, frame) ? undefined : seat.send(to[index] as Endpoint, frame);
    },
    ask: (index, item) =>
      new Promise((resolve) => {
        waiting.set(item.number, resolve);
        void seat.send(to[index] as Endpoint, frameOf(QUESTION, item));
      }),
    close: () => seat.leave(),
  };
}

const sink = defineMachine({
  id: 'sink',
  initial: 'open',
  states: { open: { on: { EVENT: { actions: 'take' }, QUESTION: { actions: 'answer' } } } },
});

const group = (order: PeerOrder, endpoint: string) =>
  createOrchestrator({
    name: 'bench',
    cluster: order.scope,
    endpoint,
    type: order.carrier,
    transports: { [order.carrier]: ourTransport(order) },
  });

interface SinkEvent {
  readonly item: Item;
}

export async function receiveAtMachine(order: PeerOrder, { onEvent }: Received): Promise<void> {
  const orchestrator = await group(order, receiverName(order.index));
  orchestrator.register(sink, {
    actions: {
      take: (ctx) => onEvent((ctx.event as unknown as SinkEvent).item),
      answer: (ctx) => ctx.reply((ctx.event as unknown as SinkEvent).item),
    },
  });
  await orchestrator.spawn(sink, { id: receiverName(order.index) });
}

export async function sendToMachine(order: PeerOrder, receivers: number): Promise<Sender> {
  const orchestrator = await group(order, 'sender');
  orchestrator.register(sink, { actions: { take: () => undefined, answer: () => undefined } });
  const refs = Array.from({ length: receivers }, (_, at) => orchestrator.ref(sink, receiverName(at)));
  const ask = async (index: number, item: Item): Promise<Item> =>
    (await refs[index]?.request({ type: 'QUESTION', item } as never))?.reply as Item;
  // Each is looked up once.
  for (let at = 0; at < receivers; at += 1) await ask(at, itemOf(0, 100));
  return {
    emit(index, item) {
      const event = { type: 'EVENT', item } as never;
      return refs[index]?.trySend(event) === true ? undefined : refs[index]?.send(event);
    },
    ask,
    close: () => orchestrator.release(),
  };
}
