import { STATUS_CODES, type ServerResponse } from 'node:http';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { Problem, type ProblemDetails } from './problem.js';
import { sendJson } from './send.js';

/** Codes of refusals that come from the framework and its body parser. */
const CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  404: 'NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
};

/** Answers every error as a problem (RFC 9457). What is our own fault is logged, and says nothing of the inside. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const details = detailsOf(error);
    if (details.status >= 500) {
      this.logger.error(details.detail, error instanceof Error ? error.stack : String(error));
    }
    const response = host.switchToHttp().getResponse<ServerResponse>();
    sendJson(response, details.status, 'application/problem+json', details);
  }
}

function detailsOf(error: unknown): ProblemDetails {
  if (error instanceof Problem) {
    const errors = error.errors === undefined ? {} : { errors: [...error.errors] };
    return { ...frame(error.getStatus(), error.code), detail: error.message, ...errors };
  }
  const status = statusOf(error);
  if (status === undefined || status >= 500) {
    return { ...frame(status ?? 500, 'INTERNAL'), detail: 'This could not be done. The log says why.' };
  }
  const message = error instanceof Error ? error.message : 'refused';
  const detail = status === 400 ? `The request can't be read: ${message}` : message;
  return { ...frame(status, CODES[status] ?? 'REFUSED'), detail };
}

/** Nest's own exceptions have a method, errors of the body parser a field. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof Error && 'status' in error && typeof error.status === 'number') return error.status;
  return undefined;
}

function frame(status: number, code: string): Omit<ProblemDetails, 'detail'> {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code };
}
