import type { ContextOf, EventObject, EventOf, Machine } from '@nestjs-orchestrator/statechart';
import { milliseconds, type Duration } from '../../message/duration.js';
import type { Logger } from '../../ports/logger.js';
import type { DelayedOptions, OrchestratedContext, Target } from '../contexts.js';
import { KeptMachine } from '../durable/kept-machine.js';
import { askRemote } from '../cluster/remote/remote-ref.js';
import { StepEndedError } from '../errors.js';
import { assertEvent } from '../event/assert-event.js';
import type { EventResult, MachineRef, RequestOptions } from '../machine-ref.js';
import type { StepRun } from './step-run.js';

/** What one action of a step is called with. Its verbs note down what is done when the step is adopted. */
export class ActionScope implements OrchestratedContext {
  constructor(
    private readonly step: StepRun,
    readonly event: EventOf<Machine>,
    readonly data: ContextOf<Machine>,
    readonly params: unknown,
  ) {}

  get context(): ContextOf<Machine> {
    return this.data;
  }

  get machine(): { id: string; scopedId: string; definition: string } {
    return this.step.instance.identity();
  }

  get group(): { id: number; name: string } {
    const { groupId, name } = this.step.instance.core;
    return { id: groupId, name };
  }

  get ref(): MachineRef {
    return this.step.instance.ref;
  }

  get parent(): MachineRef | undefined {
    return this.step.instance.parent?.ref;
  }

  get signal(): AbortSignal {
    return this.step.signal;
  }

  get logger(): Logger {
    return this.step.instance.core.logger;
  }

  send(target: Target, event: EventObject): void {
    const { instance } = this.open('send');
    const receiver = instance.core.receiverOf(target, instance);
    assertEvent(event, receiver.id, instance.core.settings.maxEventValues);
    this.step.commands.push({ type: 'to', receiver, event });
  }

  sendSelf(event: EventOf<Machine>): void {
    const { instance } = this.open('sendSelf');
    assertEvent(event, instance.id, instance.core.settings.maxEventValues);
    this.step.commands.push({ type: 'to', receiver: instance, event });
  }

  sendAfter(delay: Duration | number, event: EventOf<Machine>, options: DelayedOptions = {}): void {
    const { instance } = this.open('sendAfter');
    assertEvent(event, instance.id, instance.core.settings.maxEventValues);
    this.step.commands.push({ type: 'raise', id: options.id, delay: milliseconds(delay), event });
  }

  cancel(id: string): void {
    this.open('cancel').commands.push({ type: 'cancel', id });
  }

  reply(value: unknown): void {
    this.open('reply').reply = value;
  }

  async request(target: Target, event: EventObject, options: RequestOptions = {}): Promise<EventResult> {
    const { instance } = this.open('request');
    const receiver = instance.core.receiverOf(target, instance);
    if ('core' in receiver) return receiver.core.reception.askFromStep(this.step, receiver, event, options);
    if (receiver instanceof KeptMachine) return receiver.request(event, options, undefined);
    options.signal?.throwIfAborted();
    const question = askRemote(receiver, event, options, undefined);
    this.step.asked(question);
    return question.promise;
  }

  private open(verb: string): StepRun {
    if (this.step.ended) throw new StepEndedError(verb, this.step.instance.id);
    return this.step;
  }
}
