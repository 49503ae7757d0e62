import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { OrchestratorModuleOptions } from '@nestjs-orchestrator/nest';
import { createApp } from '../app.js';
import { settings } from '../config/settings.js';
import { openPostgres, type Postgres } from '../database/postgres.js';
import { banner } from './banner.js';
import { paymentLink } from '../payments/link/payment-link.js';
import { explain } from './failure.js';
import { PaymentProcess } from './payment-process.js';
import { portError, requireFreePort } from './port.js';

/** A shutdown that takes longer than this is cut short; nothing that was acknowledged is lost by it. */
const PATIENCE_MS = 20_000;

/** Starts everything, says where it is, and stops it in the opposite order when the process is told to end. */
export async function start(overrides: OrchestratorModuleOptions = {}): Promise<void> {
  const { port } = settings;
  await requireFreePort(port);
  const link = paymentLink(settings);
  await link?.ready();
  const postgres = await openPostgres(settings, (line) => process.stdout.write(`${line}\n`));
  const payments = link === null ? undefined : new PaymentProcess({ POSTGRES_URL: postgres.url });
  try {
    const app = await createApp(postgres.url, undefined, overrides);
    await listen(app, port);
    // Only now is there somebody to take what comes.
    if (link !== null) await app.startAllMicroservices();
    await payments?.start();
    stopOnSignal(app, payments, postgres);
    announce(await app.getUrl(), postgres.description);
  } catch (error) {
    await payments?.stop();
    link?.close();
    await postgres.stop();
    throw error;
  }
}

async function listen(app: NestExpressApplication, port: number): Promise<void> {
  try {
    await app.listen(port);
  } catch (error) {
    await app.close();
    throw portError(port, error);
  }
}

function announce(url: string, database: string): void {
  const base = url.replace('[::1]', 'localhost').replace('127.0.0.1', 'localhost');
  if (process.env['NODE_ENV'] === 'production') {
    new Logger('Sample').log({ message: 'Listening', url: base, database });
  } else {
    process.stdout.write(banner(base, database));
  }
}

/** npm passes signals on that the terminal has sent already: only the first one counts. */
function stopOnSignal(
  app: NestExpressApplication,
  payments: PaymentProcess | undefined,
  postgres: Postgres,
): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), PATIENCE_MS).unref();
    void shutDown(app, payments, postgres).then((code) => process.exit(code));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}

async function shutDown(
  app: NestExpressApplication,
  payments: PaymentProcess | undefined,
  postgres: Postgres,
): Promise<number> {
  let code = 0;
  // The database goes last, and goes even if the application did not end well.
  for (const step of [() => app.close(), async () => payments?.stop(), () => postgres.stop()]) {
    try {
      await step();
    } catch (error) {
      process.stderr.write(`${explain(error)}\n`);
      code = 1;
    }
  }
  return code;
}
