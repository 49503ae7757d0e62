import type { ServerResponse } from 'node:http';

/** Answers with JSON of the given media type. */
export function sendJson(response: ServerResponse, status: number, mediaType: string, body: unknown): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  response.statusCode = status;
  response.setHeader('Content-Type', `${mediaType}; charset=utf-8`);
  response.end(JSON.stringify(body));
}
