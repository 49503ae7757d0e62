import { Inject, Injectable } from '@nestjs/common';
import { expect, it, onTestFinished } from 'vitest';
import { BatchService, OrchestratorModule, sagaGoal } from '@nestjs-orchestrator/nest';
import { boot, named, TicketModule } from './support/application.js';
import { Opened, TicketService } from './support/ticket.js';

@Injectable()
class Opener {
  constructor(@Inject(BatchService) readonly batches: BatchService) {}
}

it('is injected by its class, and reaches the sagas of the application', async () => {
  const openers = named('OpenerModule', {
    imports: [OrchestratorModule.forFeature([])],
    providers: [Opener],
  });
  const { module } = await boot([TicketModule, openers]);
  onTestFinished(() => module.close());
  const { tickets } = module.get(TicketService, { strict: false });
  const { batches } = module.get(Opener, { strict: false });
  const requests = ['t1', 't2', 't3'].map((ticketId) => ({
    publish: new Opened({ ticketId }),
    until: sagaGoal(tickets, { key: ticketId, states: ['valid'] }),
  }));
  const { results, succeeded } = await batches.fire(requests).result;
  expect(succeeded).toBe(3);
  expect(results[2]).toMatchObject({ value: { state: 'valid', data: { ticketId: 't3' } } });
});
