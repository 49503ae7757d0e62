import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  TransportClient,
  type TransportClientOptions,
  TransportServer,
  type TransportServerOptions,
} from '@nestjs-orchestrator/nest/microservices';
import { lastValueFrom, type Observable } from 'rxjs';
import { onTestFinished } from 'vitest';
import { Diary, ShopController } from './shop.controller.js';
import type { OpenStrategy } from './strategies.js';

export const noAnswer = { defaultValue: undefined };

export const answer = <T>(answers: Observable<T>): Promise<T> => lastValueFrom(answers);

/** What it fails with. */
export const failure = (answers: Observable<unknown> | Promise<unknown>): Promise<unknown> =>
  ('subscribe' in answers ? lastValueFrom(answers, noAnswer) : answers).then(
    () => {
      throw new Error('It did not fail.');
    },
    (error: unknown) => error,
  );

type Wishes<O> = Partial<Omit<O, 'transport' | 'service'>> & { readonly maxFrameBytes?: number };

/** Servers and clients of one service, which go with the test. */
export function serviceOf({ transport, close }: OpenStrategy) {
  onTestFinished(close);
  // A segment of shared memory is known by its cluster alone, whatever its folder: other files of tests run at the same time.
  const service = `shop-${randomUUID()}`;
  return {
    service,
    cluster: `nest-${service}`,
    async server({ maxFrameBytes, ...rest }: Wishes<TransportServerOptions> = {}) {
      const strategy = new TransportServer({
        transport: transport(maxFrameBytes),
        service,
        // Nobody gives up what is in hand since the machine stood still.
        drainMs: 300_000,
        ...rest,
      });
      const module = await Test.createTestingModule({
        controllers: [ShopController],
        providers: [Diary],
      }).compile();
      const app = module.createNestMicroservice({ strategy, logger: false });
      await app.listen();
      const stop = once(() => app.close());
      onTestFinished(stop);
      return { strategy, stop, diary: (app as INestApplicationContext).get(Diary) };
    },
    client({ maxFrameBytes, ...rest }: Wishes<TransportClientOptions> = {}): TransportClient {
      const common = { transport: transport(maxFrameBytes), service, endpoint: 'asker' };
      const client = new TransportClient({ ...common, ...rest });
      onTestFinished(() => client.close());
      return client;
    },
  };
}

function once(task: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= task());
}
