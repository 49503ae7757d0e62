import { PRESENCE } from '../bus/request/presence.js';
import { replyDestination } from '../bus/request/reply-work.js';
import { SCHEDULES } from '../bus/schedule/schedule-record.js';
import { handlerDestination, remoteDestination, sagaDestination, undoDestination } from '../bus/routes.js';
import { activityDestination } from '../saga/activity/activity-work.js';
import type { KnownSaga } from './known-saga.js';

/** What a build can continue: the sagas that it has, and where it takes messages. */
export interface Build {
  readonly sagas: readonly KnownSaga[];
  /** Names of its `@Handles` methods. */
  readonly handlers: readonly string[];
  /** Names of its ways to other applications. */
  readonly remotes: readonly string[];
  /** Further destinations that somebody serves, as they stand in the outbox. */
  readonly served: readonly string[];
}

/** Several applications on one store, as one. */
export function joinedBuild(builds: readonly Build[]): Build {
  return {
    sagas: builds.flatMap(({ sagas }) => sagas),
    handlers: builds.flatMap(({ handlers }) => handlers),
    remotes: builds.flatMap(({ remotes }) => remotes),
    served: builds.flatMap(({ served }) => served),
  };
}

/** The versions of each saga, by its name. */
export function sagasOf({ sagas }: Pick<Build, 'sagas'>): ReadonlyMap<string, readonly KnownSaga[]> {
  const byName = new Map<string, KnownSaga[]>();
  for (const saga of sagas) byName.set(saga.saga, [...(byName.get(saga.saga) ?? []), saga]);
  return byName;
}

/** Says whether somebody takes what is addressed so. */
export function servedBy(build: Build): (destination: string) => boolean {
  const names = new Set([
    PRESENCE,
    ...[...sagasOf(build).keys()].flatMap((saga) => [
      sagaDestination(saga),
      undoDestination(saga),
      activityDestination(saga),
    ]),
    ...build.handlers.map(handlerDestination),
    ...build.remotes.map(remoteDestination),
    ...build.served,
  ]);
  // Of a node that is gone: the others take them away by themselves.
  return (destination) => names.has(destination) || destination.startsWith(replyDestination(''));
}

/** The framework's own instances, which every build has. */
export function isOwn(saga: string): boolean {
  return saga === SCHEDULES;
}
