import { ConsoleLogger, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { MicroserviceRegistry, type OrchestratorModuleOptions } from '@nestjs-orchestrator/nest';
import { TransportServer } from '@nestjs-orchestrator/nest/microservices';
import { AppModule } from './app.module.js';
import { settings } from './config/settings.js';
import { serveOpenApi } from './http/openapi.js';
import { ProblemFilter } from './http/problem.filter.js';
import { validationPipe } from './http/validation.js';
import { paymentLink, type PaymentLink } from './payments/link/payment-link.js';

const BODY_LIMIT = '100kb';

/** Makes the application on the Postgres at `url`; it does not listen yet. */
export async function createApp(
  url: string,
  logger = defaultLogger(),
  overrides: OrchestratorModuleOptions = {},
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forDatabase(url, overrides), {
    logger,
    // Errors come back to the caller, who has a database to stop.
    abortOnError: false,
    bodyParser: false,
  });
  app.useBodyParser('json', { limit: BODY_LIMIT });
  app.useGlobalPipes(validationPipe);
  app.useGlobalFilters(new ProblemFilter());
  app.disable('x-powered-by');
  // This API is read by people with curl.
  app.set('json spaces', 2);
  serveOpenApi(app);
  const link = paymentLink(settings);
  if (link !== null) listenFor(link, app);
  return app;
}

/** Takes what the process of payment sends, and shows in `/health` and `/metrics` how that stands. */
function listenFor(link: PaymentLink, app: NestExpressApplication): void {
  const options = link.listen('orders');
  app.connectMicroservice(options, { inheritAppConfig: false });
  if ('strategy' in options && options.strategy instanceof TransportServer)
    app.get(MicroserviceRegistry, { strict: false }).add(options.strategy);
}

/** Lines for people; JSON, one object a line, in production. */
export function defaultLogger(): LoggerService {
  return new ConsoleLogger({ json: process.env['NODE_ENV'] === 'production' });
}
