import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { commits } from './commits.js';
import { consuming } from './consuming.js';
import { carriers } from './carrying.js';
import { census } from './census.js';
import { deadLetters } from './dead-letters.js';
import { deliveries } from './deliveries.js';
import { finishing } from './finishing.js';
import { hints } from './hints.js';
import { histories } from './histories.js';
import { inboxes } from './inboxes.js';
import { instances } from './instances.js';
import { instants, lifecycle } from './instants.js';
import { joinedCommits } from './joined-commits.js';
import { keys } from './keys.js';
import { leases } from './leases.js';
import { learnedNames } from './learned-names.js';
import { parked } from './parking.js';
import { purges } from './purges.js';
import { queries } from './queries.js';
import { races } from './races.js';
import { removals } from './removals.js';
import type { Draft } from './scene.js';
import { tenants } from './tenants.js';
import { texts } from './texts.js';
import { timers } from './timers.js';
import { transactions } from './transactions.js';
import { workBirth } from './work-birth.js';
import { workClaims } from './work-claims.js';
import { workEndings } from './work-endings.js';
import { workLanes } from './work-lanes.js';

/** Connections to data that nobody else uses. */
export interface OpenedStore {
  readonly store: InstanceStore;
  /** A second connection, pool or node on the same data; without it, races are run through `store` alone. */
  readonly secondStore?: InstanceStore;
  /** Gives back what the harness made; called after both stores were closed. */
  close(): Promise<void>;
}

/** How the suite gets its stores. */
export interface InstanceStoreHarness {
  /** Stores on **empty** data. The suite starts them, and closes them afterwards. */
  createStore(): Promise<OpenedStore>;
  /** How often each race is run; default 30. */
  readonly rounds?: number;
}

/** One sentence of the contract. `run` rejects if it does not hold. */
export interface ConformanceCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const DEFAULT_ROUNDS = 30;

const drafts: readonly Draft[] = [
  ...lifecycle,
  ...instances,
  ...keys,
  ...commits,
  ...inboxes,
  ...races,
  ...leases,
  ...parked,
  ...deliveries,
  ...workBirth,
  ...workClaims,
  ...workEndings,
  ...workLanes,
  ...hints,
  ...deadLetters,
  ...timers,
  ...histories,
  ...queries,
  ...tenants,
  ...transactions,
  ...consuming,
  ...finishing,
  ...carriers,
  ...joinedCommits,
  ...removals,
  ...purges,
  ...census,
  ...learnedNames,
  ...texts,
  ...instants,
];

/**
 * What every {@link InstanceStore} must hold, one case per sentence. It knows no test framework:
 *
 * ```ts
 * it.each(instanceStoreConformance({ createStore }))('$name', ({ run }) => run());
 * ```
 */
export function instanceStoreConformance(harness: InstanceStoreHarness): readonly ConformanceCase[] {
  return drafts.map(({ name, play }) => ({
    name,
    run: async () => {
      const opened = await harness.createStore();
      const { store, secondStore } = opened;
      const all = secondStore === undefined ? [store] : [store, secondStore];
      try {
        for (const each of all) await each.start();
        await play({ store, second: secondStore ?? store, rounds: harness.rounds ?? DEFAULT_ROUNDS });
      } finally {
        for (const each of all) await each.close();
        await opened.close();
      }
    },
  }));
}
