import {
  ClientClosedError,
  EventNotHandledError,
  ServerLostError,
  ServiceUnavailableError,
} from '@nestjs-orchestrator/nest/microservices';
import { lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answer, failure, noAnswer, serviceOf } from './service.js';
import { strategies } from './strategies.js';

describe.each(strategies)('ordinary controllers over $name', ({ open, keepsEvents }) => {
  const service = () => serviceOf(open());

  it('answer requests, by text and by object patterns, also without a value', async () => {
    const { server, client } = service();
    await server();
    const shop = client();
    expect(await answer(shop.send('sum', [1, 2, 39]))).toBe(42);
    expect(await answer(shop.send({ version: 2, cmd: 'later' }, { gate: 'none' }))).toBe('after none');
    expect(await lastValueFrom(shop.send('nothing', {}), noAnswer)).toBeUndefined();
  });

  it('answer many requests at once, each its own', async () => {
    const { server, client } = service();
    await server({ maxInFlight: 4 });
    const shop = client();
    const sums = Array.from({ length: 200 }, (_, n) => answer(shop.send('sum', [n, 1])));
    expect(await Promise.all(sums)).toEqual(sums.map((_, n) => n + 1));
  });

  it('give several answers to one request, and say when there is no more', async () => {
    const { server, client } = service();
    await server();
    expect(await answer(client().send<number>('count', 500).pipe(toArray()))).toEqual(
      Array.from({ length: 500 }, (_, at) => at + 1),
    );
  });

  it('hear it when nobody listens any more', async () => {
    const { server, client } = service();
    const { diary } = await server();
    const stopped = diary.comes('stop endless');
    expect(await answer(client().send('forever', 'endless').pipe(take(1)))).toBe('endless');
    await stopped;
    expect(diary.stopped).toEqual(['endless']);
  });

  it('give their errors to who asked, after the answers before, and no secrets', async () => {
    const { server, client } = service();
    await server();
    const shop = client();
    expect(await failure(shop.send('refuse', {}))).toEqual({ code: 'REFUSED', message: 'not today' });
    expect(await failure(shop.send('break', {}))).toEqual({
      status: 'error',
      message: 'Internal server error',
    });
    expect(await failure(shop.send('unheard of', {}))).toMatch(/no matching message handler/);
    const came: unknown[] = [];
    const half = new Promise((resolve) => {
      shop.send('half', {}).subscribe({ next: (value) => came.push(value), error: resolve });
    });
    expect(await half).toEqual({ code: 'HALF', message: 'no more' });
    expect(came).toEqual([1]);
  });

  it.skipIf(keepsEvents)('acknowledge an event when its handler is done', async () => {
    const { server, client } = service();
    const { diary } = await server();
    const letGo = diary.hold('gate');
    const comes = diary.comes('gate');
    let isDone = false;
    const emitted = lastValueFrom(client().emit('placed', { gate: 'gate', id: 1 }), noAnswer).then(() => {
      isDone = true;
    });
    await comes;
    expect([isDone, diary.events]).toEqual([false, []]);
    letGo();
    await emitted;
    expect(diary.events).toEqual([{ gate: 'gate', id: 1 }]);
  });

  it.skipIf(keepsEvents)('get events in the order in which they were emitted', async () => {
    const { server, client } = service();
    const { diary } = await server();
    const shop = client();
    const ids = Array.from({ length: 300 }, (_, id) => id);
    await Promise.all(ids.map((id) => lastValueFrom(shop.emit('placed', { id }), noAnswer)));
    expect(diary.events).toEqual(ids.map((id) => ({ id })));
  });

  it.skipIf(keepsEvents)('tell who emitted that the handler failed, or that there is none', async () => {
    const { server, client } = service();
    await server();
    const shop = client();
    const broken = await failure(shop.emit('broken', 'it broke'));
    expect(broken).toBeInstanceOf(EventNotHandledError);
    expect((broken as EventNotHandledError).reason).toBe('it broke');
    expect(String(await failure(shop.emit('unheard of', {})))).toMatch(/no handler for 'unheard of'/);
  });

  it('see the pattern, who sent, and what a hook attached', async () => {
    const { server, client } = service();
    await server();
    const shop = client();
    shop.setOnDispatchHook((packet) => {
      packet.metadata = { trace: 't1' };
    });
    const seen = { pattern: 'whence', sender: 'asker', metadata: { trace: 't1' } };
    expect(await answer(shop.send('whence', {}))).toEqual(seen);
  });

  it('get no key that could reach a prototype', async () => {
    const { server, client } = service();
    await server();
    const data = JSON.parse('{"a":{"__proto__":{"admin":true}}}') as object;
    expect(JSON.stringify(await answer(client().send('echo', data)))).toBe('{"a":{}}');
  });

  it('that are nowhere are a typed error, and are found when they come', async () => {
    const { server, client } = service();
    const shop = client();
    expect(await failure(shop.send('sum', [1]))).toBeInstanceOf(ServiceUnavailableError);
    await server();
    expect(await answer(shop.send('sum', [1]))).toBe(1);
  });

  it.skipIf(keepsEvents)('share the work of one service', async () => {
    const { server, client } = service();
    const servers = [await server(), await server()];
    const shop = client();
    await Promise.all(
      Array.from({ length: 20 }, (_, id) => lastValueFrom(shop.emit('placed', { id }), noAnswer)),
    );
    expect(servers.map(({ diary }) => diary.events.length)).toEqual([10, 10]);
    await servers[0]?.stop();
    await Promise.all(
      Array.from({ length: 10 }, (_, id) => lastValueFrom(shop.emit('placed', { id }), noAnswer)),
    );
    expect(servers.map(({ diary }) => diary.events.length)).toEqual([10, 20]);
  });

  it('finish what they have in hand before they go', async () => {
    const { server, client } = service();
    const { diary, stop } = await server();
    const shop = client();
    const letGo = diary.hold('slow');
    const comes = diary.comes('slow');
    const asked = answer(shop.send({ cmd: 'later', version: 2 }, { gate: 'slow' }));
    await comes;
    const stopped = stop();
    letGo();
    expect(await asked).toBe('after slow');
    await stopped;
    expect(await failure(shop.send('sum', [1]))).toBeInstanceOf(ServiceUnavailableError);
  });

  it('that are gone before they answered leave a typed error', async () => {
    const { server, client } = service();
    const { diary, stop } = await server({ drainMs: 0 });
    const shop = client();
    onTestFinished(diary.hold('stuck'));
    const comes = diary.comes('stuck');
    const asked = failure(shop.send({ cmd: 'later', version: 2 }, { gate: 'stuck' }));
    await comes;
    await stop();
    expect(await asked).toBeInstanceOf(ServerLostError);
  });

  it.skipIf(keepsEvents)(
    'leave a typed error where an event finds no server, or its server goes',
    async () => {
      const { server, client } = service();
      const shop = client();
      expect(await failure(shop.emit('placed', {}))).toBeInstanceOf(ServiceUnavailableError);
      const { diary, stop } = await server({ drainMs: 0 });
      onTestFinished(diary.hold('stuck'));
      const comes = diary.comes('stuck');
      const emitted = failure(shop.emit('placed', { gate: 'stuck' }));
      await comes;
      await stop();
      expect(await emitted).toBeInstanceOf(ServerLostError);
    },
  );

  it.runIf(keepsEvents)('get events that were kept before there was a server', async () => {
    const { server, client } = service();
    const shop = client();
    const ids = Array.from({ length: 50 }, (_, id) => id);
    await Promise.all(ids.map((id) => lastValueFrom(shop.emit('placed', { id }), noAnswer)));
    const { diary } = await server();
    await diary.has(50);
    expect(diary.events.map((event) => (event as { id: number }).id).toSorted((a, b) => a - b)).toEqual(ids);
  });

  it.runIf(keepsEvents)(
    'get an event again that they failed to handle, before those with its key',
    async () => {
      const { server, client } = service();
      const shop = client({ orderBy: (_pattern, data) => (data as { key: string }).key });
      const { diary } = await server();
      diary.failures = 2;
      const ids = Array.from({ length: 20 }, (_, id) => id);
      await Promise.all(ids.map((id) => lastValueFrom(shop.emit('placed', { key: 'one', id }), noAnswer)));
      await diary.has(20);
      expect(diary.failures).toBe(0);
      expect(diary.events.map((event) => (event as { id: number }).id)).toEqual(ids);
    },
  );

  it('are asked in vain by a client that is closed meanwhile, which can be used again', async () => {
    const { server, client } = service();
    const { diary } = await server();
    const shop = client();
    onTestFinished(diary.hold('stuck'));
    const comes = diary.comes('stuck');
    const asked = failure(shop.send({ cmd: 'later', version: 2 }, { gate: 'stuck' }));
    await comes;
    await shop.close();
    expect(await asked).toBeInstanceOf(ClientClosedError);
    expect(await answer(shop.send('sum', [1, 1]))).toBe(2);
  });
});
