import { sagaDestination } from '../../bus/routes.js';
import { toJson } from '../../message/json.js';
import type { Clock } from '../../ports/clock.js';
import type { WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { SagaMigrationError, SagaStillHeldError, SagaVersionError } from '../saga-errors.js';
import { readHold } from './hold.js';
import type { SagaRunner } from './saga-runner.js';
import type { SagaWork, Stimulus } from './stimulus.js';

/** Pause before a node looks again at an instance whose version it can't continue, in milliseconds: at first, and at most. */
const FIRST_MS = 5_000;
const LONGEST_MS = 300_000;
/** Rows that are remembered at most. */
const MOST_TRIED = 10_000;

/**
 * The row that lets an instance go on which is held for its version: a node that continues that takes it, all others give it back.
 *
 * @param occasion one row for each
 * @param since when it was held, by the clock of the node, in milliseconds since the epoch
 */
export function releaseRow(
  saga: string,
  { tenant, key }: Pick<Stimulus, 'tenant' | 'key'>,
  occasion: string,
  since: number,
): WorkRecord {
  const payload: SagaWork = { kind: 'wake', tenant, key, held: { since } };
  return {
    tenant,
    destination: sagaDestination(saga),
    id: `release:${occasion}`,
    lane: null,
    payload: toJson(payload, 'release'),
    delayMs: FIRST_MS,
  };
}

/** Lets instances go on that were held for their version, if this build continues that. */
export class Releases {
  /** Rows of which this build has tried the migration, which would fail again. */
  private readonly tried = new Set<string>();

  constructor(
    private readonly runner: Pick<SagaRunner, 'find' | 'handle'>,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** @throws SagaStillHeldError where another build has to do it */
  async release(
    saga: CompiledSaga,
    at: Omit<Stimulus, 'cause'>,
    since: number,
  ): Promise<'consumed' | 'settled'> {
    const instance = await this.runner.find(saga, at);
    if (instance === null || readHold(instance)?.why !== 'version') return 'settled';
    const { name, version } = saga.definition;
    const later = (cause?: unknown): SagaStillHeldError =>
      new SagaStillHeldError(name, releasePause(since, this.clock.now()), cause);
    if (this.tried.has(at.messageId)) throw later();
    const reason = `version ${instance.definitionVersion} is continued by a node whose highest is ${version}`;
    const cause = {
      kind: 'operator',
      verb: 'release',
      by: 'orchestrator',
      reason,
      instance: instance.id,
    } as const;
    try {
      return await this.runner.handle(saga, { ...at, cause });
    } catch (error) {
      if (error instanceof SagaMigrationError) this.remember(at.messageId);
      else if (!(error instanceof SagaVersionError)) throw error;
      throw later(error);
    }
  }

  private remember(row: string): void {
    if (this.tried.size >= MOST_TRIED) this.tried.clear();
    this.tried.add(row);
  }
}

/** How long a node that can't continue an instance leaves it to others: the longer it is held, the more seldom it is looked at. Pure. */
export function releasePause(since: number, now: number): number {
  const quarter = (now - since) / 4;
  // Clocks of nodes differ, and jump.
  return Number.isFinite(quarter) ? Math.min(LONGEST_MS, Math.max(FIRST_MS, Math.ceil(quarter))) : LONGEST_MS;
}
