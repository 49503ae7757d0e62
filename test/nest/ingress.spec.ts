import { BaseRpcContext, Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { message, OrchestratorModule } from '@nestjs-orchestrator/nest';
import { ingress, type IngressBinding } from '@nestjs-orchestrator/nest/microservices';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { LogLines } from './support/log-lines.js';

class Rung extends message('ingress.rung', z.object({ door: z.string() })) {}

/** A transport that the test plays. */
class Hands extends Server implements CustomTransportStrategy {
  listen(done: () => void): void {
    done();
  }
  close(): void {}
  on(): void {}
  unwrap(): never {
    throw new Error('there is no server');
  }
  bring(data: unknown): Promise<void> {
    return this.handleEvent('ingress.rung', { pattern: 'ingress.rung', data }, new BaseRpcContext([]));
  }
}

it('an ingress refuses for good what has no id or does not fit, acknowledges the rest, and takes a repeat', async () => {
  const told: string[] = [];
  let heard = (): void => {};
  const tell = (how: string): void => (told.push(how), heard());
  const binding: IngressBinding = {
    name: 'hands',
    messageId: (payload) => (payload as { readonly id?: string }).id,
    acks: { done: () => tell('done'), refused: (_, how) => tell(how) },
  };
  const lines = new LogLines();
  const module = await Test.createTestingModule({
    imports: [OrchestratorModule.forRoot({ logger: lines })],
    controllers: [ingress(binding, [Rung])],
  }).compile();
  const strategy = new Hands();
  const service = module.createNestMicroservice({ strategy });
  await service.listen();
  /** Settles when the transport has been told. */
  const bring = async (letter: unknown): Promise<void> => {
    const answer = new Promise<void>((resolve) => (heard = resolve));
    await strategy.bring(letter);
    await answer;
  };
  for (const letter of [{ body: { door: 'a' } }, { id: '', body: { door: 'a' } }, { id: 'm1', body: {} }])
    await bring(letter);
  expect(told).toEqual(['never', 'never', 'never']);
  const errors = lines.all.filter(({ level }) => level === 'error');
  expect(errors.map((line) => /without an id|does not fit/.exec(line.message)?.[0])).toEqual([
    'without an id',
    'without an id',
    'does not fit',
  ]);
  for (const id of ['m2', 'm2']) await bring({ id, body: { door: 'a' } });
  expect(told.slice(3)).toEqual(['done', 'done']);
  await service.close();
});
