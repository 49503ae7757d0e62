import { Logger, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { OrchestratorModuleOptions } from '@nestjs-orchestrator/nest';
import { defaultLogger } from '../app.js';
import { SettingError, settings } from '../config/settings.js';
import { paymentLink, type PaymentLink } from '../payments/link/payment-link.js';
import { PaymentsAppModule } from '../payments/payments-app.module.js';

/** What it tells the process that started it. */
export const READY = 'ready';

/** Starts payment; it ends when it is told to, or when the process that started it is gone. */
export async function startPayments(overrides: OrchestratorModuleOptions = {}): Promise<void> {
  const { postgresUrl } = settings;
  const link = paymentLink(settings);
  if (link === null) throw new SettingError('PAYMENTS', settings.payments, 'it is not in-process here');
  if (postgresUrl === undefined)
    throw new SettingError('POSTGRES_URL', '', 'name the database of the application');
  await link.ready();
  const app = await listening(postgresUrl, link, overrides).catch((error: unknown) => {
    link.close();
    throw error;
  });
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void app.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ['SIGTERM', 'SIGHUP', 'disconnect'] as const) process.on(signal, stop);
  // Ctrl-C reaches both; the orders end first, and then say so.
  process.on('SIGINT', () => process.connected || stop());
  new Logger('Payments').log('Payments are taken');
  process.send?.(READY);
}

async function listening(
  postgresUrl: string,
  link: PaymentLink,
  overrides: OrchestratorModuleOptions,
): Promise<INestMicroservice> {
  const app = await NestFactory.createMicroservice(
    PaymentsAppModule.forDatabase(postgresUrl, link, overrides),
    { ...link.listen('payments'), logger: defaultLogger(), abortOnError: false },
  );
  await app.listen();
  return app;
}
