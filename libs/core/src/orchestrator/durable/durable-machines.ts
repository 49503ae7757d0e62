import type { EventObject, Machine } from '@nestjs-orchestrator/statechart';
import type {
  GivenBack,
  GivenUp,
  OwnedPartition,
  PartitionedFrame,
  PartitionLoss,
  PartitionReceiver,
} from '../../ports/partitioned-transport.js';
import { DuplicateMachineError, GroupReleasedError, MachineIdError, UnknownMachineError } from '../errors.js';
import type { MachineImplementations } from '../implementations.js';
import { MachineKind } from '../instance/machine-kind.js';
import { isMachineId } from '../machine-id.js';
import { DistributedStateStore } from './distributed-state-store.js';
import { DurableAnswers } from './durable-answers.js';
import { DeadLettersUnavailableError, OwnerFencedError } from './durable-errors.js';
import { decodeFrame, type DurableFrame, type DurableOutcome, encodeFrame } from './durable-frame.js';
import type { DurableGround } from './durable-ground.js';
import { DurableInstance, isRetryable } from './durable-instance.js';
import { GivenUpFrames } from './durable-given-up.js';
import { handOver, reach } from './durable-hand-over.js';
import { assertDurable } from './durable-kind.js';
import {
  type DurableLetter,
  type DurableLetterOptions,
  DurableLetters,
  type LetterAudit,
  type ReasonedLetterAudit,
} from './durable-letters.js';
import { type DurableMachinesOptions, type DurableSettings, durableSettings } from './durable-options.js';
import { DurablePlace } from './durable-place.js';
import { type AskLimits, DurableQuestions } from './durable-questions.js';
import { isAwake } from './durable-record.js';
import type { DurableImplementations, DurableRef } from './durable-ref.js';
import { OwnDurableRef } from './own-durable-ref.js';
import { assertAdmitted, type DurableSurroundings, standAlone } from './durable-surroundings.js';

/** Without a transport there is one owner. */
const ONLY_EPOCH = 1;

/**
 * Machines whose state survives their process: each step is one commit of state, id of the message and what is to be done, and only then done. With a transport
 * each machine has one owner among the processes of a cluster, and another one when that dies.
 */
export class DurableMachines {
  readonly store: DistributedStateStore;
  readonly settings: DurableSettings;
  private readonly kinds = new Map<string, MachineKind>();
  private readonly instances = new Map<string, DurableInstance>();
  private readonly owned = new Map<number, number>();
  private readonly opening = new Map<string, Promise<string>>();
  private readonly questions: DurableQuestions;
  private readonly ground: DurableGround;
  private readonly place: DurablePlace | undefined;
  private readonly around: DurableSurroundings;
  private readonly answers: DurableAnswers;
  private readonly losses: GivenUpFrames;
  private closing: Promise<void> | undefined;

  constructor(options: DurableMachinesOptions, around?: DurableSurroundings) {
    this.settings = durableSettings(options);
    const { store, clock, tenant, group, ids, maxLength, onEmit, transport, logger } = this.settings;
    this.around =
      around ?? standAlone(this.kinds, (to, event, messageId) => this.deliver(to, event, messageId));
    this.store = new DistributedStateStore({ store, clock, tenant, group, owner: ids.next(), maxLength });
    this.questions = new DurableQuestions(clock);
    this.ground = {
      ...this.settings,
      store: this.store,
      deliver: (to, event, messageId) => this.around.deliver(to, event, messageId),
      widen: (scope, instance) => this.around.widen(scope, instance),
      stepped: (...step) => this.around.stepped(...step),
      emitted: (machine, event) => onEmit?.(machine, event),
      closed: (instance) => {
        if (this.instances.get(instance.id) === instance) this.instances.delete(instance.id);
      },
    };
    if (transport !== undefined) {
      const receiver = this.around.serves ? this.receiver() : undefined;
      this.place = new DurablePlace(
        transport,
        this.settings,
        group,
        receiver,
        (frame) => this.questions.answered(frame),
        () => this.closedError(),
      );
    }
    const answers = new DurableAnswers(this.place);
    this.answers = answers;
    this.losses = new GivenUpFrames(this.around, logger, (frame, error) => answers.refuse(frame, error));
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
    assertDurable(kind);
    this.kinds.set(machine.id, kind);
  }

  /**
   * Joins the cluster and goes on with what was left: pending effects, timers, activities. Register all definitions before.
   *
   * @throws what `Transport.join` throws, StoreUnavailableError (as rejections)
   */
  async start(): Promise<void> {
    if (this.place === undefined) await this.wakeAll(null, ONLY_EPOCH, () => true);
    else await this.place.join();
  }

  /** Goes on with what was left of machines whose definitions have become known after the start. */
  async wakeKinds(kinds: ReadonlySet<string>): Promise<void> {
    const wanted = (definition: string): boolean => kinds.has(definition);
    if (this.place === undefined) await this.wakeAll(null, ONLY_EPOCH, wanted);
    else
      await Promise.all([...this.owned].map(([partition, epoch]) => this.wakeAll(partition, epoch, wanted)));
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
    if (!isMachineId(id)) throw new MachineIdError(id);
    if (this.around.definition(machine.id) === undefined)
      throw new UnknownMachineError(machine.id, this.settings.group, 'definition');
    const frame: DurableFrame = { kind: 'start', machine: id, definition: machine.id, messageId, input };
    await this.ask(frame, this.settings);
    return this.ref(machine, id);
  }

  /** A machine by its id, wherever it lives; that there is one shows when it is sent to. */
  ref<M extends Machine>(machine: M, id: string): DurableRef<M> {
    return new OwnDurableRef(this, machine, id, (definition) => this.around.definition(definition)?.bound);
  }

  /** Ids of the machines that are at work in this process; others lie in the store until something is for them. */
  atWork(): readonly string[] {
    return [...this.instances.keys()];
  }

  /** Whether one is at work in this process. */
  isAtWork(id: string): boolean {
    return this.instances.has(id);
  }

  /** Partitions that this process owns. */
  partitions(): readonly OwnedPartition[] {
    return [...this.owned].map(([partition, epoch]) => ({ partition, epoch }));
  }

  /** As `Orchestrator.deadLetters`. */
  async *deadLetters(options: DurableLetterOptions = {}): AsyncGenerator<DurableLetter> {
    yield* this.letters().list(options);
  }

  /** As `Orchestrator.replayLetter`. */
  async replayLetter(letter: Pick<DurableLetter, 'letter'>, audit: LetterAudit): Promise<boolean> {
    return this.letters().settle(letter, 'replay', audit);
  }

  /** As `Orchestrator.discardLetter`. */
  async discardLetter(letter: Pick<DurableLetter, 'letter'>, audit: ReasonedLetterAudit): Promise<boolean> {
    return this.letters().settle(letter, 'discard', audit);
  }

  /** Dead letters that this process has made since its start. */
  get lettersMade(): number {
    return this.losses.count;
  }

  private letters(): DurableLetters {
    const { place, settings } = this;
    this.assertOpen();
    if (place !== undefined) return new DurableLetters(place, settings);
    throw new DeadLettersUnavailableError(settings.group, 'no-transport', 'in-process');
  }

  /** Others have declared this process dead, and it is not back among them yet. */
  get isAway(): boolean {
    return this.place?.isAway === true;
  }

  /** Leaves the cluster in peace: what is under way is finished, everything else goes on elsewhere, or with the next start. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    await this.place?.leave();
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

  /** Settles when it is safe: the transport's server has it, or, without a transport, its step is committed. */
  async tell(frame: DurableFrame): Promise<void> {
    this.assertOpen();
    if (this.place !== undefined) await this.place.publish(frame.machine, () => encodeFrame(frame));
    else await new Promise<void>((resolve, reject) => void this.handleHere(frame, resolve).catch(reject));
  }

  private async deliver(to: string, event: EventObject, messageId: string): Promise<void> {
    await this.tell({ kind: 'event', machine: to, messageId, event });
  }

  /** Settles with what its owner has made of it. */
  ask(
    frame: DurableFrame,
    limits: Pick<DurableSettings, 'requestTimeoutMs'> | AskLimits,
  ): Promise<DurableOutcome> {
    this.assertOpen();
    const { place } = this;
    const within: AskLimits = 'timeoutMs' in limits ? limits : { timeoutMs: limits.requestTimeoutMs };
    const type = frame.event?.type ?? (frame.kind === 'start' ? 'xstate.init' : frame.kind);
    return this.questions.ask(frame.machine, type, within, (request) => {
      if (place === undefined) return this.askHere(frame, request);
      return place.publish(frame.machine, (endpoint) =>
        encodeFrame({ ...frame, replyTo: { endpoint, request } }),
      );
    });
  }

  /** Without a transport: in this process. */
  private async askHere(frame: DurableFrame, request: number): Promise<void> {
    const result = await this.handleHere(frame);
    this.questions.settle(request, result);
  }

  private async handleHere(frame: DurableFrame, committed?: () => void): Promise<DurableOutcome> {
    assertAdmitted(this.around, frame, this.settings.group);
    const definition = frame.definition ?? (await this.definitionOf(frame.machine));
    const kind = this.around.definition(definition);
    if (kind === undefined) throw new UnknownMachineError(definition, this.settings.group, 'definition');
    const instance = this.instanceOf(frame.machine, kind, ONLY_EPOCH, null);
    if (frame.kind !== 'wait') return handOver(instance, frame, committed);
    return reach(instance, frame);
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
    if (here !== undefined && !here.closed && (partition === null || here.epoch === epoch)) return here;
    here?.close(new OwnerFencedError(id, here.epoch, epoch));
    const instance = new DurableInstance(id, kind, epoch, partition, this.ground);
    this.instances.set(id, instance);
    return instance;
  }

  private receiver(): PartitionReceiver {
    return {
      onGained: (owned) => this.gained(owned),
      onFrame: (owned, frame) => this.received(owned, frame),
      onLost: (owned, loss) => this.lost(owned, loss),
      onLetter: (_owned, frame, why) => this.losses.kept(frame, why),
    };
  }

  private async gained({ partition, epoch }: OwnedPartition): Promise<void> {
    this.owned.set(partition, epoch);
    await this.wakeAll(partition, epoch, () => true);
  }

  /** Wakes what has something to do without an event. What can't be woken now is logged, and woken by its next event or owner. */
  private async wakeAll(
    partition: number | null,
    epoch: number,
    wanted: (definition: string) => boolean,
  ): Promise<void> {
    if (!this.around.knowsAny()) return;
    const waking: Promise<void>[] = [];
    for await (const { id, found } of this.store.living(partition)) {
      const kind = wanted(found.definition) ? this.around.definition(found.definition) : undefined;
      const isLost = partition !== null && this.owned.get(partition) !== epoch;
      if (isLost || kind === undefined || !isAwake(found.read(kind.bound))) continue;
      waking.push(this.instanceOf(id, kind, epoch, partition).wake());
    }
    await Promise.all(waking);
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
  private async received(
    owned: OwnedPartition,
    { bytes }: PartitionedFrame,
  ): Promise<void | GivenBack | GivenUp> {
    const frame = decodeFrame<DurableFrame>(bytes);
    if (frame === undefined) return { retryInMs: this.settings.giveBackMs };
    try {
      assertAdmitted(this.around, frame, this.settings.group);
      const definition = frame.definition ?? (await this.definitionOf(frame.machine));
      const kind = this.around.definition(definition);
      // Another process may know it, or this one after its next deployment.
      if (kind === undefined) return { retryInMs: this.settings.giveBackMs };
      // Lost while it was looked up, and perhaps gained anew: who has it now goes on undisturbed.
      if (this.owned.get(owned.partition) !== owned.epoch) return { retryInMs: this.settings.giveBackMs };
      const instance = this.instanceOf(frame.machine, kind, owned.epoch, owned.partition);
      if (frame.kind === 'wait') void this.answerWhenReached(instance, frame);
      else {
        await new Promise<void>((resolve, reject) => {
          handOver(instance, frame, resolve).then(
            (result) => this.answers.reply(instance, frame, result),
            reject,
          );
        });
      }
    } catch (error) {
      if (isRetryable(error)) return { retryInMs: this.ground.effectRetryMs };
      return this.losses.failed(frame, error);
    }
    return undefined;
  }

  /** Nobody keeps a wait: who gets no answer, or hears that the machine goes elsewhere, asks again. */
  private async answerWhenReached(instance: DurableInstance, frame: DurableFrame): Promise<void> {
    try {
      this.answers.reply(instance, frame, await reach(instance, frame));
    } catch (error) {
      if (isRetryable(error))
        this.answers.reply(instance, frame, { changed: false, duplicate: false, waiting: true });
      else this.answers.refuse(frame, error);
    }
  }
}

/** Machines whose state survives their process; see {@link DurableMachines}. */
export function durableMachines(options: DurableMachinesOptions): DurableMachines {
  return new DurableMachines(options);
}
