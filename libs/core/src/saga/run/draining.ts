import type { Envelope } from '../../message/envelope.js';
import type { Clock } from '../../ports/clock.js';
import type { Commit, CommitResult, InstanceStore, LoadResult } from '../../ports/instance-store.js';
import type { DeliveryRecord, WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { wakeRow } from './build-commit.js';
import type { ChangeMaker } from './change-maker.js';
import { behind, DeliveryError, isOfTheMessage, isPassing } from './delivery-error.js';
import { ejectCommit } from './hold.js';
import { deliveryOf, isHeld } from './holding.js';
import { mailboxOf } from './names.js';
import type { Stimulus } from './stimulus.js';
import { ejectUnreadable, readDelivery } from './stored-delivery.js';
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
      for (const delivery of await this.ports.store.deliveries(instance)) {
        const loaded = await this.ports.load(saga, { ...at, messageId: delivery.messageId });
        if (isHeld(loaded)) return;
        if ((await this.one(saga, at, loaded, delivery)) === 'consumed') progress = true;
      }
    }
    this.stuck.freed(mailboxOf(saga, at));
  }

  private async one(
    saga: CompiledSaga,
    at: At,
    loaded: LoadResult,
    delivery: Pick<DeliveryRecord, 'messageId' | 'payload'>,
  ): Promise<'consumed' | 'settled'> {
    const envelope = readDelivery(delivery);
    if (envelope !== undefined) return this.deliver(saga, at, loaded, envelope);
    return loaded.instance === null ? 'settled' : this.eject(ejectUnreadable(loaded.instance, delivery));
  }

  /** It fails as a message of its own, and becomes a dead letter. */
  private async eject(commit: Commit): Promise<'consumed'> {
    const result = await this.ports.commit(commit);
    if (result.outcome === 'committed') this.ports.committed(commit, result);
    return 'consumed';
  }

  private async deliver(
    saga: CompiledSaga,
    at: At,
    loaded: LoadResult,
    envelope: Envelope,
  ): Promise<'consumed' | 'settled'> {
    const { attempt, changes } = this.ports;
    try {
      return await attempt(saga, await changes.delivered(saga, at, envelope), loaded);
    } catch (error) {
      if (isPassing(error)) throw error;
      if (isOfTheMessage(error) && loaded.instance !== null)
        return this.eject(ejectCommit(loaded.instance, deliveryOf(at, envelope), envelope));
      throw new DeliveryError(envelope, error);
    }
  }
}
