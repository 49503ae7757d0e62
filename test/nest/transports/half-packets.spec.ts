import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { silentLogger, systemClock, type Endpoint, type Transport } from '@nestjs-orchestrator/core/ports';
import {
  PacketBrokenError,
  ServiceUnavailableError,
  type TransportClient,
  type TransportServer,
} from '@nestjs-orchestrator/nest/microservices';
import { lastValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answer, failure, noAnswer, serviceOf } from './service.js';

const large = 'x'.repeat(100_000);
const LATER = { cmd: 'later', version: 2 };
/** First bytes of frames. */
const [SERVING, REQUEST, EVENT, RESPONSE, PIECE, REFUSED] = [1, 2, 3, 5, 9, 11];

/** A service whose transport takes few and small frames, so that a large packet is on its way for as long as the test wishes. */
function shop() {
  const network = memoryNetwork({ maxFrameBytes: 1_000, laneFrames: 4 });
  const waiters = waitersOf(memoryTransport(network));
  const service = serviceOf({ transport: () => waiters.transport, close: () => undefined });
  const stranger = (onFrame: (from: Endpoint, frame: Uint8Array) => void | Promise<void>) =>
    waiters.transport.join(
      { cluster: service.cluster, endpoint: 'stranger', clock: systemClock, logger: silentLogger },
      { onFrame, onPeer: () => undefined },
    );
  return { ...service, network, stranger, waits: waiters.waits };
}

/** Tells when a sender finds no room. */
function waitersOf(inner: Transport) {
  let found: () => void = () => undefined;
  const transport: Transport = {
    type: inner.type,
    async join(options, receiver) {
      const seat = await inner.join(options, receiver);
      const send = seat.send.bind(seat);
      seat.send = (...args) => {
        found();
        return send(...args);
      };
      return seat;
    },
  };
  const waits = () => new Promise<void>((resolve) => (found = resolve));
  return { transport, waits };
}

const self = (strategy: TransportClient | TransportServer): Endpoint => strategy.unwrap().self;

/** Bytes that are kept of half packets, at the moment in which a peer is lost. */
function keptAtLoss(strategy: TransportServer | TransportClient): Promise<number> {
  return new Promise((resolve) => {
    strategy.on('peer', ({ state }) => {
      if (state === 'lost') resolve(strategy.stats().halfBytes);
    });
  });
}

/** A frame as a client or a server writes it. */
function frameOf(kind: number, number: number, body: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(body));
  const frame = new Uint8Array(5 + text.length);
  frame[0] = kind;
  new DataView(frame.buffer).setUint32(1, number, true);
  frame.set(text, 5);
  return frame;
}

/** The next frame of that kind which a stranger hears. */
function hears(kind: number) {
  let heard: (frame: Uint8Array) => void = () => undefined;
  const frame = new Promise<Uint8Array>((resolve) => (heard = resolve));
  const onFrame = (_from: Endpoint, bytes: Uint8Array): void => {
    if (bytes[0] === kind) heard(bytes);
  };
  return { frame, onFrame };
}

const bodyOf = (frame: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(frame.subarray(5)));

describe('a large packet of which a part is on its way', () => {
  it('is dropped where nobody waits for the answer any more, and the next one goes on', async () => {
    const { server, client, network, waits } = shop();
    const { strategy, diary } = await server();
    const asker = client();
    await asker.connect();
    let came = false;
    void diary.comes('large').then(() => (came = true));
    const goOn = network.delay(self(asker), self(strategy));
    const waiting = waits();
    const asked = asker.send(LATER, { gate: 'large', large }).subscribe();
    await waiting;
    asked.unsubscribe();
    const next = answer(asker.send('sum', [1, 1]));
    goOn();
    expect(await next).toBe(2);
    expect([came, strategy.stats().halfBytes, asker.stats().requests]).toEqual([false, 0, 0]);
  });

  it('goes to another server where its own dies, as a request and as an event', async () => {
    const { server, client, network, waits } = shop();
    const first = await server({ endpoint: 'first' });
    const asker = client();
    await asker.connect();
    network.delay(self(asker), self(first.strategy));
    const waiting = waits();
    const asked = answer(asker.send('echo', large));
    const emitted = lastValueFrom(asker.emit('placed', { large }), noAnswer);
    await waiting;
    const second = await server({ endpoint: 'second' });
    network.lose(self(first.strategy));
    expect(await asked).toBe(large);
    await emitted;
    expect(second.diary.events).toEqual([{ large }]);
    expect(first.diary.events).toEqual([]);
  });

  it('finds nobody where its server dies and there is no other one', async () => {
    const { server, client, network, waits } = shop();
    const { strategy } = await server();
    const asker = client();
    await asker.connect();
    network.delay(self(asker), self(strategy));
    const waiting = waits();
    const asked = failure(asker.send('echo', large));
    await waiting;
    network.lose(self(strategy));
    expect(await asked).toBeInstanceOf(ServiceUnavailableError);
  });

  it('goes on where its client takes another place', async () => {
    const { server, client, network, waits } = shop();
    const { strategy } = await server();
    const asker = client();
    await asker.connect();
    const place = self(asker);
    network.delay(place, self(strategy));
    const waiting = waits();
    const asked = answer(asker.send('echo', large));
    await waiting;
    network.expel(place);
    expect(await asked).toBe(large);
    expect(asker.stats()).toMatchObject({ place: 'taken', rejoins: 1, requests: 0 });
  });

  it('leaves no memory at the server where its client dies', async () => {
    const { server, client, network, waits } = shop();
    const { strategy } = await server();
    const asker = client();
    await asker.connect();
    const kept = keptAtLoss(strategy);
    const goOn = network.delay(self(asker), self(strategy));
    const waiting = waits();
    const asked = asker.send('echo', large).subscribe({ error: () => undefined });
    await waiting;
    network.lose(self(asker));
    goOn();
    expect(await kept).toBe(0);
    asked.unsubscribe();
  });

  it('as an answer ends with its client: the server forgets it and can be closed', async () => {
    const { server, stranger, waits } = shop();
    const { strategy, stop } = await server();
    const asks = await stranger(() => new Promise(() => undefined));
    const waiting = waits();
    const request = frameOf(REQUEST, 1, { pattern: 'large', data: 100_000, id: 'a' });
    asks.trySend(self(strategy), request);
    await waiting;
    expect(strategy.stats().unanswered).toBe(1);
    await asks.leave();
    await stop();
    expect(strategy.stats()).toMatchObject({ unanswered: 0, inHand: 0, place: 'none' });
  });
});

describe('who sends pieces that make no packet', () => {
  /** Pieces by hand: bytes of the whole, bytes before, bytes. */
  const piece = (total: readonly number[], before: number, bytes: Uint8Array | readonly number[]) =>
    Uint8Array.of(PIECE, ...total, before, ...bytes);
  const request = frameOf(REQUEST, 7, { pattern: 'sum', data: [1], id: 'a' });

  it.each([
    ['a whole frame in the middle', [[60], 0, request.subarray(0, 20)], request],
    ['one that is missing', [[60], 0, request.subarray(0, 20)], piece([60], 30, [1, 2, 3])],
    ['one of another packet', [[60], 0, request.subarray(0, 20)], piece([61], 20, [1, 2, 3])],
    ['one that is empty', [[60], 0, request.subarray(0, 20)], piece([60], 20, [])],
    ['one beyond the end', [[21], 0, request.subarray(0, 20)], piece([21], 20, [1, 2, 3])],
  ] as const)('%s: is told so, nothing is kept, and others go on', async (_, first, second) => {
    const { server, client, stranger } = shop();
    const { strategy } = await server();
    const refused = hears(REFUSED);
    const seat = await stranger(refused.onFrame);
    onTestFinished(() => seat.leave());
    seat.trySend(self(strategy), piece(first[0], first[1], first[2]));
    seat.trySend(self(strategy), second);
    const heard = await refused.frame;
    expect([heard[1], bodyOf(heard)]).toEqual([7, {}]);
    expect(strategy.stats().halfBytes).toBe(0);
    expect(await answer(client().send('sum', [1]))).toBe(1);
  });

  it('or promises more than it sends takes no more than eight times what it sent', async () => {
    const { server, client, stranger } = shop();
    const { strategy } = await server();
    const seat = await stranger(() => undefined);
    onTestFinished(() => seat.leave());
    // 16 776 576 bytes, of which 100 come.
    seat.trySend(self(strategy), piece([0x80, 0xfb, 0xff, 0x07], 0, new Uint8Array(100)));
    // Comes after it: order between one pair does not hold for others, but the server has looked at it by then.
    const asker = client();
    await asker.connect();
    expect(await answer(asker.send('sum', [1]))).toBe(1);
    expect(strategy.stats().halfBytes).toBeGreaterThan(0);
    expect(strategy.stats().halfBytes).toBeLessThanOrEqual(800);
  });

  it('as an answer leaves a typed error where somebody waits for it', async () => {
    const { client, stranger } = shop();
    const onFrame = (from: Endpoint, frame: Uint8Array): void => {
      if (frame[0] !== REQUEST) return;
      const answered = frameOf(RESPONSE, frame[1] as number, { response: 1, id: 'a' });
      serves.trySend(from, piece([100], 0, answered));
      serves.trySend(from, piece([100], 99, [1]));
    };
    const serves = await stranger(onFrame);
    onTestFinished(() => serves.leave());
    await serves.claim('server/stranger', 'shop');
    const asker = client();
    expect(await failure(asker.send('sum', [1]))).toBeInstanceOf(PacketBrokenError);
    expect(asker.stats()).toMatchObject({ requests: 0, halfBytes: 0 });
  });

  it('can not answer what another server was asked', async () => {
    const { server, client, stranger } = shop();
    const { diary } = await server();
    const asker = client();
    const comes = diary.comes('slow');
    const letGo = diary.hold('slow');
    const asked = answer(asker.send(LATER, { gate: 'slow' }));
    await comes;
    const seat = await stranger(() => undefined);
    onTestFinished(() => seat.leave());
    for (const kind of [RESPONSE, REFUSED])
      seat.trySend(self(asker), frameOf(kind, 1, { response: 'forged', isDisposed: true, id: 'a' }));
    seat.trySend(self(asker), frameOf(SERVING, 0, null));
    const next = asker.emit('placed', { id: 1 });
    void lastValueFrom(next, noAnswer).catch(() => undefined);
    letGo();
    expect(await asked).toBe('after slow');
  });
});

it('an event of which a part has come does not keep one that follows from another client', async () => {
  const { server, client, stranger } = shop();
  const { strategy, diary } = await server();
  const seat = await stranger(() => undefined);
  onTestFinished(() => seat.leave());
  const event = frameOf(EVENT, 1, { pattern: 'placed', data: { id: 1 } });
  seat.trySend(self(strategy), Uint8Array.of(PIECE, event.length, 0, ...event.subarray(0, 9)));
  await lastValueFrom(client().emit('placed', { id: 2 }), noAnswer);
  seat.trySend(self(strategy), Uint8Array.of(PIECE, event.length, 9, ...event.subarray(9)));
  await diary.has(2);
  expect(diary.events).toEqual([{ id: 2 }, { id: 1 }]);
});
