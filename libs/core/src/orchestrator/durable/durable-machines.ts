import { type EventObject, type Machine, namesIn } from '@nestjs-orchestrator/statechart';
import { isOrchestratorError } from '../../errors/orchestrator-error.js';
import { TransportClosedError } from '../../errors/transport-errors.js';
import type {
  GivenBack,
  OwnedPartition,
  PartitionedFrame,
  PartitionedSeat,
  PartitionLoss,
  PartitionedTransport,
} from '../../ports/partitioned-transport.js';
import type { Endpoint } from '../../ports/transport.js';
import { DuplicateMachineError, GroupReleasedError, MachineIdError, UnknownMachineError } from '../errors.js';
import { assertEvent } from '../event/assert-event.js';
import type { MachineImplementations } from '../implementations.js';
import { MachineKind } from '../instance/machine-kind.js';
import { DistributedStateStore } from './distributed-state-store.js';
import { DurableLogicError, OwnerFencedError } from './durable-errors.js';
import { decodeFrame, type DurableAnswer, type DurableFrame, encodeFrame } from './durable-frame.js';
import type { DurableImplementations, DurableRef, DurableResult, DurableSendOptions } from './durable-ref.js';
import { DurableQuestions } from './durable-questions.js';
import { type DurableGround, DurableInstance, isRetryable, type StepResult } from './durable-instance.js';
import { type DurableMachinesOptions, type DurableSettings, durableSettings } from './durable-options.js';
import { isAwake } from './durable-record.js';

const LONGEST_ID = 256;
const MOST_VALUES = 10_000;
/** Without a transport there is one owner. */
const ONLY_EPOCH = 1;

/**
 * Machines whose state survives their process: each step is one commit of state, id of the message and what is to be done, and only then done. With a transport
 * each machine has one owner among the processes of a cluster, and another one when that dies.
 */
export class DurableMachines {
  private readonly kinds = new Map<string, MachineKind>();
  private readonly instances = new Map<string, DurableInstance>();
  private readonly owned = new Map<number, number>();
  private readonly opening = new Map<string, Promise<string>>();
  private readonly store: DistributedStateStore;
  private readonly questions: DurableQuestions;
  private readonly ground: DurableGround;
  private readonly settings: DurableSettings;
  private seat: PartitionedSeat | undefined;
  private rejoining: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  constructor(options: DurableMachinesOptions) {
    this.settings = durableSettings(options);
    const { store, clock, tenant, group, ids, maxLength, onEmit } = this.settings;
    this.store = new DistributedStateStore({ store, clock, tenant, group, owner: ids.next(), maxLength });
    this.questions = new DurableQuestions(clock);
    this.ground = {
      ...this.settings,
      store: this.store,
      deliver: (to, event, messageId) => this.deliver(to, event, messageId),
      emitted: (machine, event) => onEmit?.(machine, event),
      closed: (instance) => {
        if (this.instances.get(instance.id) === instance) this.instances.delete(instance.id);
      },
    };
  }

  /**
   * Makes a definition known. Its actions get a {@link DurableActionContext}, its activities a {@link DurableActivityContext}.
   *
   * @throws UnboundNamesError, DuplicateMachineError, UnsupportedLogicError, DurableLogicError
   */
  register<M extends Machine>(machine: M, implementations?: DurableImplementations): void {
    if (this.kinds.has(machine.id)) throw new DuplicateMachineError(machine.id, this.settings.group);
    const kind = new MachineKind(
      machine,
      implementations as unknown as MachineImplementations | undefined,
      () => false,
    );
    for (const { kind: what, name } of namesIn(kind.bound)) {
      if (what === 'actor' && !('run' in kind.activity(name))) throw new DurableLogicError(machine.id, name);
    }
    this.kinds.set(machine.id, kind);
  }

  /**
   * Joins the cluster and goes on with what was left: pending effects, timers, activities. Register all definitions before.
   *
   * @throws what `Transport.join` throws, StoreUnavailableError (as rejections)
   */
  async start(): Promise<void> {
    if (this.settings.transport === undefined) await this.wakeAll(null, ONLY_EPOCH);
    else await this.join(this.settings.transport);
  }

  /**
   * Starts a machine; settles when its first step is committed and its actions are done.
   *
   * @throws UnknownMachineError (not registered), MachineIdError, DuplicateIdError, and what `request` throws (as rejections)
   */
  async spawn<M extends Machine>(
    machine: M,
    options: { readonly id: string; readonly input?: unknown; readonly messageId?: string },
  ): Promise<DurableRef<M>> {
    this.assertOpen();
    const { id, input, messageId = this.settings.ids.next() } = options;
    if (id === '' || id.length > LONGEST_ID || id.includes('#')) throw new MachineIdError(id);
    if (!this.kinds.has(machine.id))
      throw new UnknownMachineError(machine.id, this.settings.group, 'definition');
    const frame: DurableFrame = { kind: 'start', machine: id, definition: machine.id, messageId, input };
    await this.ask(frame, this.settings.requestTimeoutMs);
    return this.ref(machine, id);
  }

  /** A machine by its id, wherever it lives; that there is one shows when it is sent to. */
  ref<M extends Machine>(machine: M, id: string): DurableRef<M> {
    const checked = (given: unknown, options: DurableSendOptions | undefined): DurableFrame => {
      this.assertOpen();
      const event = given as EventObject;
      assertEvent(event, id, MOST_VALUES);
      const messageId = options?.messageId ?? this.settings.ids.next();
      return { kind: 'event', machine: id, messageId, event };
    };
    return {
      id,
      send: async (event, options) => this.tell(checked(event, options)),
      request: async (event, options) =>
        this.ask(checked(event, options), options?.timeoutMs ?? this.settings.requestTimeoutMs),
      snapshot: async () => {
        const found = await this.store.load(id, '');
        const kind = this.kinds.get(machine.id);
        if (found === undefined || kind === undefined)
          throw new UnknownMachineError(id, this.settings.group, 'id');
        return found.read(kind.bound).snapshot;
      },
    };
  }

  /** Ids of the machines that are at work in this process; others lie in the store until something is for them. */
  atWork(): readonly string[] {
    return [...this.instances.keys()];
  }

  /** Partitions that this process owns. */
  partitions(): readonly OwnedPartition[] {
    return [...this.owned].map(([partition, epoch]) => ({ partition, epoch }));
  }

  /** Leaves the cluster in peace: what is under way is finished, everything else goes on elsewhere, or with the next start. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    await this.rejoining;
    await this.seat?.leave();
    const error = this.closedError();
    await Promise.all([...this.instances.values()].map((instance) => instance.leave(error)));
    this.questions.giveUp(error);
  }

  private closedError(): GroupReleasedError {
    return new GroupReleasedError(this.settings.group, 0);
  }

  private assertOpen(): void {
    if (this.closing !== undefined) throw this.closedError();
  }

  private async join(transport: PartitionedTransport): Promise<void> {
    const { cluster, name, clock, logger } = this.settings;
    const seat = await transport.join(
      { cluster, endpoint: name, clock, logger },
      { onFrame: (_from, frame) => this.questions.answered(frame), onPeer: () => undefined },
    );
    this.seat = seat;
    void seat.closed.then(() => {
      if (this.closing === undefined) this.rejoining = this.joinAgain(transport);
    });
    await seat.serve({
      onGained: (owned) => this.gained(owned),
      onFrame: (owned, frame) => this.received(owned, frame),
      onLost: (owned, loss) => this.lost(owned, loss),
    });
  }

  /** Others have declared this process dead, since it stood still for too long: it comes back as another incarnation. */
  private async joinAgain(transport: PartitionedTransport): Promise<void> {
    const { clock, giveBackMs, logger } = this.settings;
    while (this.closing === undefined) {
      try {
        await this.join(transport);
        return;
      } catch (error) {
        logger.warn('This process could not join its cluster again; tried once more', {
          error: String(error),
        });
        await new Promise<void>((resolve) => void clock.schedule(giveBackMs, resolve));
      }
    }
  }

  private async tell(frame: DurableFrame): Promise<void> {
    if (this.settings.transport === undefined) await this.committedHere(frame);
    else await this.publish(frame);
  }

  /** Once more where the place of this process was lost meanwhile: a repeat is known by the id of its message. */
  private async publish(frame: DurableFrame): Promise<void> {
    for (;;) {
      await this.rejoining;
      this.assertOpen();
      const { seat } = this;
      if (seat === undefined) throw this.closedError();
      try {
        await seat.publish(this.nameOf(frame.machine), encodeFrame(frame));
        return;
      } catch (error) {
        if (!(error instanceof TransportClosedError) || this.closing !== undefined) throw error;
        await seat.closed;
      }
    }
  }

  private committedHere(frame: DurableFrame): Promise<void> {
    return new Promise((resolve, reject) => void this.handleHere(frame, resolve).catch(reject));
  }

  private async deliver(to: string, event: EventObject, messageId: string): Promise<void> {
    await this.tell({ kind: 'event', machine: to, messageId, event });
  }

  private ask(frame: DurableFrame, timeoutMs: number): Promise<DurableResult> {
    const { seat } = this;
    if (seat === undefined) return this.handleHere(frame).then(resultOf);
    const type = frame.event?.type ?? 'xstate.init';
    return this.questions.ask(frame.machine, type, timeoutMs, (request) =>
      this.publish({ ...frame, replyTo: { endpoint: this.seat?.self ?? seat.self, request } }),
    );
  }

  /** The name by which the transport finds the partition. */
  private nameOf(id: string): string {
    return `${this.settings.group}/${id}`;
  }

  /** Without a transport: in this process. */
  private async handleHere(frame: DurableFrame, committed?: () => void): Promise<StepResult> {
    const definition = frame.definition ?? (await this.definitionOf(frame.machine));
    const kind = this.kinds.get(definition);
    if (kind === undefined) throw new UnknownMachineError(definition, this.settings.group, 'definition');
    return this.handOver(this.instanceOf(frame.machine, kind, ONLY_EPOCH, null), frame, committed);
  }

  private handOver(
    instance: DurableInstance,
    frame: DurableFrame,
    committed?: () => void,
  ): Promise<StepResult> {
    const event = frame.event ?? { type: 'xstate.init' };
    const start = frame.kind === 'start' ? { input: frame.input } : undefined;
    return instance.handle({ event, messageId: frame.messageId }, committed, start);
  }

  /** One look for all events that come meanwhile, so that they stay in order. @throws UnknownMachineError */
  private definitionOf(id: string): Promise<string> {
    const here = this.instances.get(id);
    const opening = this.opening.get(id);
    if (opening !== undefined) return opening;
    if (here !== undefined) return Promise.resolve(here.kind.id);
    const looking = this.lookUp(id).finally(() => this.opening.delete(id));
    this.opening.set(id, looking);
    return looking;
  }

  private async lookUp(id: string): Promise<string> {
    const found = await this.store.load(id, '');
    if (found === undefined) throw new UnknownMachineError(id, this.settings.group, 'id');
    return found.definition;
  }

  private instanceOf(
    id: string,
    kind: MachineKind,
    epoch: number,
    partition: number | null,
  ): DurableInstance {
    const here = this.instances.get(id);
    if (here !== undefined && here.epoch === epoch && !here.closed) return here;
    here?.close(new OwnerFencedError(id, here.epoch, epoch));
    const instance = new DurableInstance(id, kind, epoch, partition, this.ground);
    this.instances.set(id, instance);
    return instance;
  }

  private async gained({ partition, epoch }: OwnedPartition): Promise<void> {
    this.owned.set(partition, epoch);
    await this.wakeAll(partition, epoch);
  }

  /** Wakes what has something to do without an event. What can't be woken now is logged, and woken by its next event or owner. */
  private async wakeAll(partition: number | null, epoch: number): Promise<void> {
    const waking: Promise<void>[] = [];
    for await (const { id, found } of this.store.living(partition)) {
      const kind = this.kinds.get(found.definition);
      if (kind === undefined || !isAwake(found.read(kind.bound))) continue;
      waking.push(this.wake(this.instanceOf(id, kind, epoch, partition)));
    }
    await Promise.all(waking);
  }

  private async wake(instance: DurableInstance): Promise<void> {
    try {
      await instance.wake();
    } catch (error) {
      instance.report('Waking', error);
    }
  }

  private async lost({ partition, epoch }: OwnedPartition, loss: PartitionLoss): Promise<void> {
    if (this.owned.get(partition) === epoch) this.owned.delete(partition);
    const instances = [...this.instances.values()].filter(
      (instance) => instance.partition === partition && instance.epoch === epoch,
    );
    await Promise.all(
      instances.map(async (instance) => {
        const error = new OwnerFencedError(instance.id, epoch);
        if (loss === 'handed-over') await instance.leave(error);
        else instance.close(error);
      }),
    );
  }

  /** A frame of an owned partition: done when its step is committed. */
  private async received(owned: OwnedPartition, { bytes }: PartitionedFrame): Promise<void | GivenBack> {
    const frame = decodeFrame<DurableFrame>(bytes);
    if (frame === undefined) return { retryInMs: this.settings.giveBackMs };
    try {
      const definition = frame.definition ?? (await this.definitionOf(frame.machine));
      const kind = this.kinds.get(definition);
      // Another process may know it, or this one after its next deployment.
      if (kind === undefined) return { retryInMs: this.settings.giveBackMs };
      const instance = this.instanceOf(frame.machine, kind, owned.epoch, owned.partition);
      await new Promise<void>((resolve, reject) => {
        this.handOver(instance, frame, resolve).then((result) => this.reply(frame, result), reject);
      });
    } catch (error) {
      if (isRetryable(error)) return { retryInMs: this.ground.effectRetryMs };
      // It will not get better: nothing was changed, and whoever asked is told.
      this.refuse(frame, error);
      const reason = error instanceof Error ? error.message : String(error);
      this.settings.logger.warn(`An event for durable machine '${frame.machine}' failed: ${reason}`);
    }
    return undefined;
  }

  private reply({ replyTo }: DurableFrame, { changed, duplicate, reply }: StepResult): void {
    if (replyTo === undefined) return;
    this.answer(replyTo.endpoint, {
      request: replyTo.request,
      changed,
      duplicate,
      ...(reply === undefined ? {} : { reply }),
    });
  }

  private refuse({ replyTo, machine }: DurableFrame, error: unknown): void {
    if (replyTo === undefined) return;
    const code = isOrchestratorError(error) ? error.code : 'STEP_FAILED';
    const message = error instanceof Error ? error.message : `Machine '${machine}' failed: ${String(error)}`;
    this.answer(replyTo.endpoint, { request: replyTo.request, error: { code, message } });
  }

  /** At most once: who does not get it asks again with the same id. */
  private answer(to: Endpoint, answer: DurableAnswer): void {
    try {
      if (this.seat !== undefined && to.incarnation === this.seat.self.incarnation)
        this.questions.answered(encodeFrame(answer));
      else this.seat?.trySend(to, encodeFrame(answer));
    } catch (error) {
      this.settings.logger.debug('An answer reached nobody', { endpoint: to.name, error: String(error) });
    }
  }
}

function resultOf({ changed, duplicate, reply }: DurableResult): DurableResult {
  return { changed, duplicate, reply };
}

/** Machines whose state survives their process; see {@link DurableMachines}. */
export function durableMachines(options: DurableMachinesOptions): DurableMachines {
  return new DurableMachines(options);
}
