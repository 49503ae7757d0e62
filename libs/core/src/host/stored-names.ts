import type { InstanceStore } from '../ports/instance-store.js';
import type { Logger } from '../ports/logger.js';
import type { SagaBehaviour } from '../saga/behaviour.js';
import {
  findLacking,
  lacksNames,
  StoredNamesError,
  type StoredNamesCheck,
} from '../vocabulary/boot-check.js';
import { knownSaga } from '../vocabulary/known-saga.js';

/** What is no reason to wait for another build. */
const OF_NO_BUILD: ReadonlySet<string> = new Set(['newer-version', 'unreadable-instance']);

/** What the check of stored names needs of its node. */
export interface StoredNamesPorts {
  readonly store: InstanceStore;
  readonly logger: Logger;
  readonly check: StoredNamesCheck;
}

/** Looks at the start of a node whether the store holds what its sagas can't continue. */
export class StoredNames {
  /** The search that a warning comes of; never rejects. */
  private search: Promise<void> = Promise.resolve();

  constructor(private readonly ports: StoredNamesPorts) {}

  /** @throws StoredNamesError where the node is not to start */
  async check(behaviours: readonly SagaBehaviour[]): Promise<void> {
    const { store, check } = this.ports;
    const sagas = behaviours.map(knownSaga);
    if (check === 'off' || !(await lacksNames(store, sagas))) return;
    const findings = findLacking(store, sagas);
    if (check === 'warn') {
      this.search = this.warn(findings);
      return;
    }
    const all = await findings;
    const lacking = all.filter(({ kind }) => !OF_NO_BUILD.has(kind));
    if (lacking.length > 0) throw new StoredNamesError(lacking);
    const unreadable = all.filter(({ kind }) => kind === 'unreadable-instance');
    await this.warn(Promise.resolve(unreadable));
  }

  /** Settles when nothing of it is under way any more. */
  ended(): Promise<void> {
    return this.search;
  }

  private async warn(findings: ReturnType<typeof findLacking>): Promise<void> {
    const { logger } = this.ports;
    try {
      for (const { kind, message } of await findings) logger.warn(message, { check: kind });
    } catch (error) {
      logger.warn(
        'Could not look whether this build can continue what the store holds; `orchestrator check` can',
        {
          error: String(error),
        },
      );
    }
  }
}
