import { message } from '@nestjs-orchestrator/nest';
import { z } from 'zod';

/** A payment that was authorised before is charged now. */
export class ChargeCard extends message(
  'payment.charge',
  z.object({ orderId: z.string(), cents: z.int() }),
) {}
