import type { EventObject } from '@nestjs-orchestrator/statechart';
import { CeilingError, RequestCycleError } from '../errors.js';
import { assertEvent } from '../event/assert-event.js';
import { type InstanceDelivery, Stamp } from '../instance/deliveries.js';
import type { MachineInstance } from '../instance/machine-instance.js';
import { cycleOf, PendingRequest, PromisedAnswer } from '../instance/pending-request.js';
import type { StepRun } from '../instance/step-run.js';
import type { EventResult, RequestOptions } from '../machine-ref.js';
import type { GroupCore } from './group-core.js';
import { assertMessageId } from './handled-messages.js';
import type { Waiter } from '../pool/mailbox.js';
import { assertTimeLimit } from '../time-limit.js';
import { WaitingRequest, WaitingSend } from './waiting.js';

/** One in so many plain events has its latency measured. */
const SAMPLED = 16;

const ACCEPTED: Promise<void> = Promise.resolve();

/** Where events from outside come in: accepted if there is room, else in line; and questions, from outside or from an action. */
export class Reception {
  private sends = 0;

  constructor(private readonly core: GroupCore) {}

  /** From outside. */
  send(instance: MachineInstance, event: EventObject, messageId?: string): Promise<void> {
    try {
      if (messageId !== undefined) assertMessageId(messageId);
      if (this.accept(instance, event, messageId)) return ACCEPTED;
      return this.waitForRoom(instance, event, messageId);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  trySend(instance: MachineInstance, event: EventObject): boolean {
    if (this.accept(instance, event)) return true;
    this.core.meters.count('throttled', instance.kind.id);
    return false;
  }

  private accept(instance: MachineInstance, event: EventObject, messageId?: string): boolean {
    this.assertAccepts(instance, event);
    if (this.core.queued >= this.core.settings.maxQueued) return false;
    this.sends += 1;
    const at = this.core.meters.enabled && this.sends % SAMPLED === 1 ? this.core.pool.now() : undefined;
    const stamp = at === undefined && messageId === undefined ? undefined : new Stamp(at, messageId);
    if (!this.core.pool.offer(instance, event, stamp)) return false;
    this.core.queued += 1;
    return true;
  }

  assertAccepts(instance: MachineInstance, event: EventObject): void {
    if (instance.ended !== undefined || this.core.released) throw instance.closedError() as Error;
    assertEvent(event, instance.id, this.core.settings.maxEventValues);
  }

  /** From another process: takes an event, of which it is known that it may come, if there is room. `delivery` says who is told of it. */
  offer(instance: MachineInstance, event: EventObject, delivery: InstanceDelivery): boolean {
    if (this.core.queued >= this.core.settings.maxQueued) return false;
    if (!this.core.pool.offer(instance, event, delivery)) return false;
    this.core.queued += 1;
    return true;
  }

  /** From another process: stands in line for room. */
  stand(instance: MachineInstance, waiter: Waiter): void {
    this.assertMayWait(instance);
    this.core.waitingSenders += 1;
    this.core.pool.wait(instance, waiter);
  }

  /** 1, or 0 where the machine has ended before it accepted the event. */
  async sendIfAtWork(instance: MachineInstance, event: EventObject): Promise<number> {
    if (instance.ended !== undefined) return 0;
    try {
      await this.send(instance, event);
      return 1;
    } catch (error) {
      if (instance.ended !== undefined) return 0;
      throw error;
    }
  }

  private waitForRoom(
    instance: MachineInstance,
    event: EventObject,
    messageId: string | undefined,
  ): Promise<void> {
    this.assertMayWait(instance);
    const delivery = messageId === undefined ? undefined : new Stamp(undefined, messageId);
    const waiting = new WaitingSend(this.core, event, delivery);
    this.core.pool.wait(instance, waiting);
    return waiting.promise;
  }

  private assertMayWait(instance: MachineInstance): void {
    const { maxWaitingSenders, maxQueued } = this.core.settings;
    const where = `Channel group '${this.core.name}'`;
    this.core.meters.count('throttled', instance.kind.id);
    if (this.core.queued >= maxQueued) throw new CeilingError('maxQueued', maxQueued, where);
    if (this.core.waitingSenders >= maxWaitingSenders)
      throw new CeilingError('maxWaitingSenders', maxWaitingSenders, where);
  }

  /** From outside, with an answer. */
  async ask(instance: MachineInstance, event: EventObject, options: RequestOptions): Promise<EventResult> {
    this.assertAccepts(instance, event);
    if (options.messageId !== undefined) assertMessageId(options.messageId);
    assertTimeLimit(options.timeoutMs);
    options.signal?.throwIfAborted();
    const answer = new PromisedAnswer();
    const request = new PendingRequest(instance, event, undefined, this.core.pool.now(), options, answer);
    if (this.core.queued < this.core.settings.maxQueued && this.core.pool.offer(instance, event, request)) {
      this.core.queued += 1;
      request.stage = 'queued';
      return answer.promise;
    }
    try {
      this.assertMayWait(instance);
      request.waiter = new WaitingRequest(this.core, request);
      this.core.pool.wait(instance, request.waiter);
    } catch (error) {
      request.fail(error);
    }
    return answer.promise;
  }

  /** From an action, which holds its mailbox meanwhile. Never waits for room. */
  askFromStep(
    step: StepRun,
    receiver: MachineInstance,
    event: EventObject,
    options: RequestOptions,
  ): Promise<EventResult> {
    const { core } = this;
    this.assertAccepts(receiver, event);
    assertTimeLimit(options.timeoutMs);
    options.signal?.throwIfAborted();
    const cycle = cycleOf(step.instance, receiver);
    if (cycle !== undefined) throw new RequestCycleError(cycle);
    const { maxQueued, maxQueuedPerMachine } = core.settings;
    if (receiver.queued >= maxQueuedPerMachine) {
      throw new CeilingError(
        'maxQueuedPerMachine',
        maxQueuedPerMachine,
        `The mailbox of machine '${receiver.id}'`,
      );
    }
    if (core.queued >= maxQueued)
      throw new CeilingError('maxQueued', maxQueued, `Channel group '${core.name}'`);
    const answer = new PromisedAnswer();
    const request = new PendingRequest(receiver, event, step.instance, core.pool.now(), options, answer);
    request.stage = 'queued';
    core.deliver(receiver, event, request);
    step.asked(request);
    return answer.promise;
  }
}
