// #region module
import { Module } from '@nestjs/common';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';

@Module({
  imports: [
    OrchestratorModule.forRoot({
      machines: { name: 'orders' },
      transport: {
        // Or the variable ORCHESTRATOR_TYPE; 'in-process' is always there.
        type: 'shared-memory',
        transports: { 'shared-memory': sharedMemory(), 'named-pipe': namedPipe() },
        cluster: 'shop',
      },
    }),
  ],
})
export class AppModule {}
// #endregion

// #region plain
import { createOrchestrator, OutcomeUnknownError } from '@nestjs-orchestrator/core';

export async function confirm(order: string): Promise<boolean> {
  const orchestrator = await createOrchestrator({
    name: 'orders',
    cluster: 'shop',
    type: 'named-pipe',
    transports: { 'named-pipe': namedPipe() },
  });
  try {
    const { reply } = await orchestrator.ref(order).request({ type: 'CONFIRM' }, { timeoutMs: 2_000 });
    return reply === true;
  } catch (error) {
    // Its process died in the middle: ask where the order is now before it is confirmed again.
    if (error instanceof OutcomeUnknownError) return false;
    throw error;
  } finally {
    await orchestrator.release();
  }
}
// #endregion
