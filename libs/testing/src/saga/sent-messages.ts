import type { Envelope } from '@nestjs-orchestrator/core';
import type { Commit, InstanceStore } from '@nestjs-orchestrator/core/ports';

/** A message that a saga has sent: its commit is durable. */
export interface SentMessage {
  readonly id: string;
  readonly name: string;
  readonly body: unknown;
  /** Milliseconds after its commit at which it is to be delivered. */
  readonly delayMs: number;
}

/** The store, which tells every message that a saga's commit has written. */
export function tellingSent<S extends InstanceStore>(store: S, sent: (message: SentMessage) => void): S {
  return new Proxy(store, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name);
      if (typeof value !== 'function') return value;
      if (name !== 'commit') return value.bind(of) as unknown;
      return async (...args: Parameters<InstanceStore['commit']>) => {
        const results = await of.commit(...args);
        results.forEach((result, index) => {
          if (!(result instanceof Error) && result.outcome === 'committed') tell(args[0][index], sent);
        });
        return results;
      };
    },
  });
}

/** A message to several destinations has a row for each, all with its id. */
function tell(commit: Commit | undefined, sent: (message: SentMessage) => void): void {
  const told = new Set<string>();
  for (const { payload, delayMs } of commit?.work ?? []) {
    const { kind, envelope } = JSON.parse(payload) as { kind?: string; envelope?: Envelope };
    if (kind !== 'message' || envelope === undefined || told.has(envelope.id)) continue;
    told.add(envelope.id);
    sent({ id: envelope.id, name: envelope.name, body: envelope.body, delayMs });
  }
}
