import type { AnySaga, SagaHistoryEntry, SagaInstance } from '@nestjs-orchestrator/core/saga';
import type { SentMessage } from './sent-messages.js';

/** What has happened, for the reader of an error. */
export function story(
  instances: readonly SagaInstance<AnySaga>[],
  histories: ReadonlyMap<string, readonly SagaHistoryEntry[]>,
  sent: readonly SentMessage[],
): string {
  const lines = instances.flatMap((instance) => [
    `Instance ${instance.id}: ${instance.state} (${instance.status}), data ${JSON.stringify(instance.data)}`,
    ...(histories.get(instance.id) ?? []).map((entry) => `  ${entryLine(entry, instance.createdAt)}`),
  ]);
  const messages = sent.map(({ name, body, delayMs }) => {
    return `  ${name} ${JSON.stringify(body)}${delayMs > 0 ? `, in ${delayMs} ms` : ''}`;
  });
  return [
    ...(lines.length > 0 ? lines : ['There is no instance.']),
    messages.length > 0 ? 'Sent since given():' : 'Nothing was sent since given().',
    ...messages,
  ].join('\n');
}

function entryLine({ at, kind, name, from, to }: SagaHistoryEntry, start: Date): string {
  const move = to === null ? '' : from === null ? ` → ${to}` : `: ${from} → ${to}`;
  return `+${(at.getTime() - start.getTime()) / 1_000} s ${kind} ${name}${move}`;
}
