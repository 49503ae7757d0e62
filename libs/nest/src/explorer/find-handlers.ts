import type { MessageHandler } from '@nestjs-orchestrator/core';
import type { BootFault } from '../boot-errors.js';
import { readHandles, type HandlesMember } from '../handlers/handles.metadata.js';
import type { Candidate } from './candidates.js';

type Report = (code: BootFault['code'], message: string) => void;

const LONGEST_NAME = 200;

/** The `@Handles` methods of all providers and controllers, bound to their instances. */
export function findHandlers(candidates: readonly Candidate[], report: Report): readonly MessageHandler[] {
  const places = new Map<string, string>();
  const handlers: MessageHandler[] = [];
  for (const candidate of candidates) {
    const members = readHandles(candidate.target);
    if (members.length > 0) reportScope(candidate, report);
    for (const member of members) {
      const handler = handlerOf(candidate, member);
      const place = `${candidate.target.name}.${String(member.key)} (in ${candidate.module})`;
      reportName(handler, place, places.get(handler.name), report);
      reportConcurrency(handler, place, report);
      places.set(handler.name, place);
      handlers.push(handler);
    }
  }
  return handlers;
}

function handlerOf(
  { target, instance }: Candidate,
  { key, message, name, concurrency }: HandlesMember,
): MessageHandler {
  const methods = instance as Record<string | symbol, (ctx: unknown) => unknown>;
  return {
    message,
    name: name ?? `${target.name}.${String(key)}`,
    ...(concurrency === undefined ? {} : { concurrency }),
    // Looked up when it is called, so that a spy put on the instance is seen.
    handle: (ctx) => methods[key]?.(ctx),
  };
}

function reportScope({ target, module, scope }: Candidate, report: Report): void {
  if (scope === undefined) return;
  report(
    'SCOPED_PROVIDER',
    `${target.name} (in ${module}) has @Handles methods and is ${scope}. Handlers are called outside of requests: ` +
      `remove the scope, or move them to a provider without one.`,
  );
}

function reportName(handler: MessageHandler, place: string, other: string | undefined, report: Report): void {
  const { name } = handler;
  if (name.trim() === '' || name.length > LONGEST_NAME)
    report(
      'HANDLER_NAME',
      `${place} is named '${name}'; a handler's name has 1 to ${LONGEST_NAME} characters.`,
    );
  if (other === undefined) return;
  report(
    'DUPLICATE_HANDLER',
    `${place} and ${other} are both named '${name}', which is part of stored rows. ` +
      `Give one of them another with @Handles(Message, { name: '…' }), or provide the class in one module only.`,
  );
}

function reportConcurrency({ concurrency = 1 }: MessageHandler, place: string, report: Report): void {
  if (Number.isInteger(concurrency) && concurrency > 0) return;
  report(
    'HANDLER_CONCURRENCY',
    `${place} is to take ${concurrency} messages at a time; 'concurrency' is a positive whole number.`,
  );
}
