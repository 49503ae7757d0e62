import type { Snapshot } from '@nestjs-orchestrator/statechart';
import type { Base, Line } from './base.js';
import { stateName } from './step.js';
import type { MessageOrTimer } from './stimulus.js';

/** The line of the history that tells where a stimulus has led. */
export function moveLine({ saga, instance }: Base, snapshot: Snapshot, cause: MessageOrTimer): Line {
  const to = stateName(saga, snapshot);
  const name = causeName(cause);
  if (instance === null) return { kind: 'created', name, from: null, to, detail: null };
  return {
    kind: to === instance.state ? 'event' : 'transition',
    name,
    from: instance.state,
    to,
    detail: null,
  };
}

/** What the history calls a stimulus. */
export function causeName(cause: MessageOrTimer): string {
  if (cause.kind === 'message') return cause.envelope.name;
  return cause.kind === 'timer' ? cause.payload.label : `${cause.name} ${cause.outcome.kind}`;
}
