import type { ServerResponse } from 'node:http';
import {
  Catch,
  Controller,
  Get,
  Inject,
  ServiceUnavailableException,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  HealthCheckService,
  TypeOrmHealthIndicator,
  type HealthCheckResult,
} from '@nestjs/terminus';
import { OrchestratorHealth } from '@nestjs-orchestrator/nest';
import { sendJson } from '../http/send.js';

/** Lets the report of what is down through as it is. */
@Catch(ServiceUnavailableException)
class HealthReportFilter implements ExceptionFilter<ServiceUnavailableException> {
  catch(error: ServiceUnavailableException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    sendJson(response, error.getStatus(), 'application/json', error.getResponse());
  }
}

@ApiTags('health')
@Controller('health')
@UseFilters(HealthReportFilter)
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(TypeOrmHealthIndicator) private readonly database: TypeOrmHealthIndicator,
    @Inject(OrchestratorHealth) private readonly orchestrator: OrchestratorHealth,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.database.pingCheck('database').withTimeout(2_000),
      () => this.orchestrator.check('orchestrator'),
    ]);
  }
}
