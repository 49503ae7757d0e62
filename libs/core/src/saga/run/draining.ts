import type { Envelope } from '../../message/envelope.js';
import { parseJson } from '../../message/json.js';
import type { Clock } from '../../ports/clock.js';
import type { Commit, CommitResult, InstanceStore, LoadResult } from '../../ports/instance-store.js';
import type { WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { wakeRow } from './build-commit.js';
import type { ChangeMaker } from './change-maker.js';
import { behind, DeliveryError, isOfTheMessage, isPassing } from './delivery-error.js';
import { ejectCommit } from './hold.js';
import { deliveryOf, isHeld } from './holding.js';
import { mailboxOf } from './names.js';
import type { Stimulus } from './stimulus.js';
import { StuckDeliveries } from './stuck-deliveries.js';

type At = Pick<Stimulus, 'tenant' | 'key'>;

/** What it takes to handle what waits for an instance. */
export interface DrainingPorts {
  readonly store: Pick<InstanceStore, 'deliveries'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly changes: ChangeMaker;
  readonly load: (saga: CompiledSaga, at: At & { readonly messageId?: string }) => Promise<LoadResult>;
  /** Handles a stimulus; lost races load again. */
  readonly attempt: (
    saga: CompiledSaga,
    stimulus: Stimulus,
    loaded: LoadResult,
  ) => Promise<'consumed' | 'settled'>;
  readonly commit: (commit: Commit) => Promise<CommitResult>;
  readonly committed: (commit: Commit, result: Extract<CommitResult, { outcome: 'committed' }>) => void;
  readonly enqueue: (work: readonly WorkRecord[]) => Promise<void>;
}

/** Handles the open deliveries of an instance, in its mailbox. */
export class Draining {
  private readonly stuck: StuckDeliveries;

  constructor(private readonly ports: DrainingPorts) {
    this.stuck = new StuckDeliveries(ports.clock);
  }

  /** A newcomer must not pay for a delivery that fails: that is tried by a row of its own, and the newcomer comes back after it. */
  async before(saga: CompiledSaga, stimulus: Stimulus): Promise<void> {
    const mailbox = mailboxOf(saga, stimulus);
    const pause = this.stuck.pause(mailbox);
    if (pause > 0) throw behind(pause);
    try {
      await this.drain(saga, stimulus);
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      await this.ports.enqueue([wakeRow(saga.definition.name, stimulus, error.messageId)]);
      throw behind(this.stuck.failed(mailbox), error);
    }
  }

  async drain(saga: CompiledSaga, at: At): Promise<void> {
    for (let progress = true; progress;) {
      progress = false;
      const { instance } = await this.ports.load(saga, at);
      if (instance === null || instance.openDeliveries === 0) break;
      for (const { messageId, payload } of await this.ports.store.deliveries(instance)) {
        const loaded = await this.ports.load(saga, { ...at, messageId });
        if (isHeld(loaded)) return;
        const handled = await this.deliver(saga, at, loaded, parseJson(payload) as Envelope);
        if (handled === 'consumed') progress = true;
      }
    }
    this.stuck.freed(mailboxOf(saga, at));
  }

  private async deliver(
    saga: CompiledSaga,
    at: At,
    loaded: LoadResult,
    envelope: Envelope,
  ): Promise<'consumed' | 'settled'> {
    const { attempt, changes, commit, committed } = this.ports;
    try {
      return await attempt(saga, await changes.delivered(saga, at, envelope), loaded);
    } catch (error) {
      if (isPassing(error)) throw error;
      if (isOfTheMessage(error) && loaded.instance !== null) {
        // It fails as a message of its own, and becomes a dead letter.
        const eject = ejectCommit(loaded.instance, deliveryOf(at, envelope), envelope);
        const result = await commit(eject);
        if (result.outcome === 'committed') committed(eject, result);
        return 'consumed';
      }
      throw new DeliveryError(envelope, error);
    }
  }
}
