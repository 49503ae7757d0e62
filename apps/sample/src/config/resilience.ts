import type { ResilienceOptions } from '@nestjs-orchestrator/nest';

/** What protects the card network, and the orders from it; `GET /health` shows how they stand. */
export const resilience: ResilienceOptions = {
  breakers: { payments: { consecutiveFailures: 3, breakDuration: 5_000 } },
  limiters: { 'card-network': { maxTransitionsPerSecond: 1_000, burstCapacity: 1_000 } },
};
