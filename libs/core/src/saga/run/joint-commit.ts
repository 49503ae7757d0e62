import type { Commit } from '../../ports/instance-store.js';
import type { CurrentInstance, TimerRecord } from '../../ports/records.js';
import type { Change } from './build-commit.js';
import type { Stimulus } from './stimulus.js';

/** Whether a stimulus may be handled along with the one before it: a message in its first delivery. */
export function mayRideAlong({ cause }: Stimulus): boolean {
  return cause.kind === 'message' && !cause.delivery && cause.replay !== true;
}

/** Whether a change may be committed together with those before it: what claims keys or waits is decided alone. */
export function mayBeJoined({ keys, defer, hold, inbox }: Change): boolean {
  return keys.length === 0 && !defer && hold === null && inbox === undefined;
}

/** Whether the instance goes on as a running one after the change, so that another message may be handled on top of it. */
export function goesOn(change: Change): boolean {
  return mayBeJoined(change) && change.standing.status === 'running';
}

/** The instance as the commit leaves it, where no delivery waits for it. `version`: default that which it has before. */
export function instanceAfter(
  { ref, next, expectedVersion }: Commit,
  version = expectedVersion,
): CurrentInstance {
  return {
    tenant: ref.tenant,
    saga: ref.saga,
    id: ref.id,
    definitionVersion: next.definitionVersion,
    state: next.state,
    status: next.status,
    data: next.data,
    machine: next.machine,
    undo: next.undo,
    hold: next.hold,
    ended: next.ended,
    version,
    openDeliveries: 0,
  };
}

/** One commit in the place of several of one instance, each of which was made on top of the one before it. Pure. */
export function jointCommit(commits: readonly Commit[]): Commit {
  const [first, last] = [commits[0] as Commit, commits.at(-1) as Commit];
  if (first === last) return first;
  return {
    ...first,
    next: last.next,
    inbox: last.inbox,
    inboxBefore: commits.slice(0, -1).flatMap(({ inbox }) => (inbox === null ? [] : [inbox])),
    work: commits.flatMap(({ work }) => work),
    timers: jointTimers(commits),
    history: commits.flatMap(({ history }) => history),
    done: commits.flatMap(({ done }) => done),
    consumed: commits.flatMap(({ consumed = [] }) => consumed),
  };
}

/** Of each name the last word counts. */
function jointTimers(commits: readonly Commit[]): Commit['timers'] {
  const words = new Map<string, TimerRecord | null>();
  for (const { timers } of commits) {
    for (const name of timers.disarm) words.set(name, null);
    for (const timer of timers.arm) words.set(timer.name, timer);
  }
  const arm = [...words.values()].filter((timer) => timer !== null);
  return { arm, disarm: [...words].filter(([, timer]) => timer === null).map(([name]) => name) };
}
