import type { CorpusTest } from './corpus.js';
import { Platform, Session } from './session.js';

/** null where the whole basic configuration is as scripted, the initial one included and after every event; else what differs. */
export function runTest({ document, script, read }: CorpusTest): string | null {
  const platform = new Platform(read);
  const session = new Session(platform, document, 'main', null, undefined);
  const initial = difference('initially', session, script.initialConfiguration);
  if (initial !== null) return initial;
  for (const [at, { after, event, nextConfiguration }] of script.events.entries()) {
    platform.advance(after ?? 0);
    session.send({ type: event.name, data: event.data });
    platform.advance(0);
    const found = difference(`after event ${at} (${event.name})`, session, nextConfiguration);
    if (found !== null) return found;
  }
  return null;
}

function difference(when: string, session: Session, expected: readonly string[]): string | null {
  const actual = [...session.configuration].sort().join(' ');
  return actual === [...expected].sort().join(' ')
    ? null
    : `${when}: in ${actual}, expected ${[...expected].sort().join(' ')}`;
}
