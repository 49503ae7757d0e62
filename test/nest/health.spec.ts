import { TerminusModule, HealthCheckService } from '@nestjs/terminus';
import { expect, it, onTestFinished } from 'vitest';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { StoreUnavailableError, OrchestratorHealth } from '@nestjs-orchestrator/nest';
import { boot } from './support/application.js';

it('is an indicator of terminus, red while the store does not answer', async () => {
  const store = memoryStore();
  const { module } = await boot([TerminusModule.forRoot({ logger: false })], { store });
  onTestFinished(() => module.close());
  const orchestrator = module.get(OrchestratorHealth, { strict: false });
  const checks = module.get(HealthCheckService, { strict: false });

  const up = { status: 'up', store: 'memory', inWork: 0, queued: 0 };
  expect(await checks.check([() => orchestrator.check()])).toMatchObject({
    status: 'ok',
    info: { orchestrator: up },
  });

  store.ping = () => Promise.reject(new StoreUnavailableError('The database is away.'));
  await expect(checks.check([() => orchestrator.check('queue')])).rejects.toMatchObject({
    response: { error: { queue: { ...up, status: 'down', reason: 'The database is away.' } } },
  });
});
