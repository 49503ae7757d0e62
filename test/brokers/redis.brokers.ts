import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transport } from '@nestjs/microservices';
import { OrchestratorConfigurationError } from '@nestjs-orchestrator/nest';
import { egress, lossyIngress } from '@nestjs-orchestrator/nest/microservices';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { Charge, Cashier, payments, Placed, Shop, shop, type Wire } from './shop.js';

let server: RedisServer;
const folder = mkdtempSync(join(tmpdir(), 'orch-brokers-'));
beforeAll(async () => {
  server = await startRedisServer(folder);
});
afterAll(async () => {
  await server?.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function redis(): Wire {
  const options = { host: '127.0.0.1', port: server.port };
  return {
    client: () => ({ transport: Transport.REDIS, options }),
    listen: () => ({ transport: Transport.REDIS, options }),
    ingress: lossyIngress('redis'),
    egress: { confirms: false, lossy: true },
  };
}

describe('two applications over Nest’s Redis transport', () => {
  it('bring an order to its end while both listen, and say at boot that messages may get lost', async () => {
    const there = await payments(redis());
    const here = await shop(redis());
    onTestFinished(async () => {
      await here.app.close();
      await there.app.close();
    });
    const { bus, orders } = here.app.get(Shop);
    await bus.publish(new Placed({ orderId: 'o1' }));
    await orders.waitUntil({ key: 'o1' }, 'paid', { timeout: '4m' });
    expect(there.app.get(Cashier).charged).toEqual(['o1']);
    const warnings = here.lines.all.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/Ingress 'redis': its transport has no acknowledgements/),
        expect.stringMatching(/Egress 'payments' is lossy/),
      ]),
    );
  });

  it('must say that they know, since the transport confirms nothing', () => {
    const binding = { name: 'payments', client: 'payments', messages: [Charge] };
    expect(() => egress({ ...binding, confirms: false })).toThrow(OrchestratorConfigurationError);
    expect(() => egress({ ...binding, confirms: false })).toThrow(/\{ lossy: true \}/);
    expect(() => egress({ ...binding, confirms: true, lossy: true })).toThrow(/drop one/);
  });
});
