import { parseJson } from '../../message/json.js';
import type { CurrentInstance } from '../../ports/records.js';

/** What a saga keeps beside the engine's snapshot. */
export interface Notes {
  /** Value of the primary key; kept by sagas that have further ones. */
  readonly key: string | undefined;
  /** Members that have come so far, by composite event. */
  readonly joined: ReadonlyMap<string, readonly string[]>;
  /** Tokens of the schedules that are set, by name. */
  readonly schedules: ReadonlyMap<string, string>;
  /** Paths of the states that wait for activities, by the id of the invocation. */
  readonly invocations: ReadonlyMap<string, string>;
  /** An operator has cancelled it: when everything is undone, that is how it ends. */
  readonly cancelled: boolean;
  /** Nodes of older versions that have another name by now: timers may still name them. */
  readonly renamed: Readonly<Record<string, string>>;
}

/** {@link Notes} as they are stored, beside the engine's snapshot. */
export interface StoredNotes {
  readonly key?: string;
  readonly joined?: Readonly<Record<string, readonly string[]>>;
  readonly schedules?: Readonly<Record<string, string>>;
  readonly invocations?: Readonly<Record<string, string>>;
  readonly cancelled?: boolean;
  readonly renamed?: Readonly<Record<string, string>>;
}

/** Notes of an instance that is yet to be. */
export const NO_NOTES: Notes = {
  key: undefined,
  joined: new Map(),
  schedules: new Map(),
  invocations: new Map(),
  cancelled: false,
  renamed: {},
};

/** Notes of an instance as it lies in the store, whatever its machine is. */
export function notesOf({ machine }: Pick<CurrentInstance, 'machine'>): Notes {
  return readNotes((parseJson(machine) as { readonly saga?: StoredNotes }).saga);
}

/** Notes as stored; nothing where there are none. */
export function storedNotes(notes: Notes): StoredNotes | undefined {
  const { key, joined, schedules, invocations, cancelled, renamed } = notes;
  const stored: StoredNotes = {
    ...(key === undefined ? {} : { key }),
    ...(joined.size === 0 ? {} : { joined: Object.fromEntries(joined) }),
    ...(schedules.size === 0 ? {} : { schedules: Object.fromEntries(schedules) }),
    ...(invocations.size === 0 ? {} : { invocations: Object.fromEntries(invocations) }),
    ...(cancelled ? { cancelled } : {}),
    ...(Object.keys(renamed).length === 0 ? {} : { renamed }),
  };
  return Object.keys(stored).length === 0 ? undefined : stored;
}

/** What {@link storedNotes} has written. */
export function readNotes(stored: StoredNotes | undefined): Notes {
  if (stored === undefined) return NO_NOTES;
  const { key, joined = {}, schedules = {}, invocations = {} } = stored;
  const { cancelled = false, renamed = {} } = stored;
  return {
    key,
    joined: new Map(Object.entries(joined)),
    schedules: new Map(Object.entries(schedules)),
    invocations: new Map(Object.entries(invocations)),
    cancelled,
    renamed,
  };
}
