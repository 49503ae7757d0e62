import { FrameTooLargeError } from '@nestjs-orchestrator/core';
import { lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { answer, failure, noAnswer, serviceOf } from './service.js';
import { strategies } from './strategies.js';

/** A frame is much smaller than what the tests send. */
const small = { maxFrameBytes: 16_384 };
const text = (bytes: number): string => 'x'.repeat(bytes);

describe.each(strategies)('packets above a frame of $name', ({ open, keepsEvents }) => {
  const service = () => serviceOf(open());

  it('come whole, there and back', async () => {
    const { server, client } = service();
    await server(small);
    const shop = client(small);
    const data = { text: text(1_000_000), umlauts: 'ä€🎉'.repeat(20_000) };
    expect(await answer(shop.send('echo', data))).toEqual(data);
    const sent = await Promise.all([1, 2, 3].map((n) => answer(shop.send('echo', text(100_000 * n)))));
    expect(sent).toEqual([1, 2, 3].map((n) => text(100_000 * n)));
  });

  it('come among small ones as several answers to one request', async () => {
    const { server, client } = service();
    await server(small);
    const sizes = [10, 200_000, 20, 50_000, 30];
    const answers = answer(client(small).send<string>('parts', sizes).pipe(toArray()));
    expect((await answers).map(({ length }) => length)).toEqual(sizes);
  });

  it.skipIf(keepsEvents)('keep their place among events', async () => {
    const { server, client } = service();
    const { diary } = await server(small);
    const shop = client(small);
    const events = [1, 200_000, 2, 3, 60_000, 4].map((bytes, id) => ({ id, text: text(bytes) }));
    await Promise.all(events.map((event) => lastValueFrom(shop.emit('placed', event), noAnswer)));
    expect(diary.events).toEqual(events);
  });

  it('fail at their sender above the limit, and what follows goes on', async () => {
    const { server, client } = service();
    const { diary } = await server({ ...small, maxPacketBytes: 50_000 });
    const shop = client({ ...small, maxPacketBytes: 50_000 });
    const asked = (await failure(shop.send('echo', text(60_000)))) as FrameTooLargeError;
    expect(asked).toBeInstanceOf(FrameTooLargeError);
    expect(asked).toMatchObject({ maxBytes: 50_000, option: 'maxPacketBytes' });
    expect(await failure(shop.emit('placed', text(60_000)))).toBeInstanceOf(FrameTooLargeError);
    const message = expect.stringMatching(/above the limit of 50000.*'maxPacketBytes'/) as string;
    expect(await failure(shop.send('large', 60_000))).toMatchObject({ status: 'error', message });
    const stopped = diary.comes('stop heavy');
    expect(await failure(shop.send('heavy', 60_000))).toMatchObject({ status: 'error', message });
    await stopped;
    expect(await answer(shop.send('sum', [1]))).toBe(1);
  });

  it('fail as well where the receiver has the smaller limit', async () => {
    const { server, client } = service();
    await server({ ...small, maxPacketBytes: 50_000 });
    const shop = client(small);
    for (const bytes of [49_999, 60_000, 600_000]) {
      const asked = await failure(shop.send('echo', text(bytes)));
      expect(asked).toBeInstanceOf(FrameTooLargeError);
      expect(asked).toMatchObject({ maxBytes: 50_000, option: 'maxPacketBytes' });
    }
    expect(await answer(shop.send('sum', [1]))).toBe(1);
  });

  it.skipIf(keepsEvents)('fail as events where the server has the smaller limit', async () => {
    const { server, client } = service();
    await server({ ...small, maxPacketBytes: 50_000 });
    const shop = client(small);
    expect(await failure(shop.emit('placed', text(60_000)))).toBeInstanceOf(FrameTooLargeError);
    await lastValueFrom(shop.emit('placed', {}), noAnswer);
  });

  it.runIf(keepsEvents)('can not be kept: such an event names the limit of the transport', async () => {
    const { client } = service();
    const refused = await failure(client(small).emit('placed', text(60_000)));
    expect(refused).toBeInstanceOf(FrameTooLargeError);
    expect(refused).toMatchObject({ option: 'maxFrameBytes' });
  });

  it('fail at who asked and can not take the answer, which ends the request', async () => {
    const { server, client } = service();
    const { diary } = await server(small);
    const shop = client({ ...small, maxPacketBytes: 50_000 });
    const stopped = diary.comes('stop heavy');
    expect(await failure(shop.send('heavy', 60_000))).toBeInstanceOf(FrameTooLargeError);
    await stopped;
    expect(await answer(shop.send<number>('count', 2).pipe(take(1)))).toBe(1);
  });
});
