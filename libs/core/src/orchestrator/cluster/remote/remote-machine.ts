import type { EventObject, Machine } from '@nestjs-orchestrator/statechart';
import { KeptMachine } from '../../durable/kept-machine.js';
import { MachineStoppedError, UnknownMachineError } from '../../errors.js';
import { assertMessageId } from '../../group/handled-messages.js';
import type { MachineInstance } from '../../instance/machine-instance.js';
import type { ClusterMember } from '../cluster-member.js';
import type { Courier } from '../link/in-flight.js';
import type { Outgoing } from '../link/outgoing.js';
import { Posting } from '../link/posting.js';
import { EVENT, REQUEST, SNAPSHOT, STOP, WAIT } from '../wire/format.js';
import { eventText, isPlainEvent, namedText } from '../wire/event-text.js';
import { PendingSend, StepSend } from './pending-send.js';
import { LocalAnswer } from './pending-question.js';

/**
 * A machine that is not of this group in this process, or not known to be: where it is is looked up when it is first sent to, and again when
 * it is not there any more. What is sent meanwhile waits, in order.
 */
export class RemoteMachine implements Courier {
  /** The link that knows it by `handle`. */
  handledBy: Outgoing | undefined = undefined;
  handle = 0;
  readonly address: string;
  private link: Outgoing | undefined = undefined;
  /** It, where it is a durable one: found in the store, whatever process has it at work. */
  private kept: KeptMachine | undefined = undefined;
  /** What it is, as far as somebody here has said so. */
  definition: Machine | undefined = undefined;
  private queue: Posting[] = [];
  private looking = false;

  constructor(
    readonly member: ClusterMember,
    readonly group: string,
    readonly id: string,
    /** Name of its cluster, where that is another one than the own. */
    readonly cluster?: string,
  ) {
    this.address = `${cluster ?? member.cluster}/${group}/${id}`;
  }

  get isIdle(): boolean {
    return this.queue.length === 0 && !this.looking;
  }

  /** It in this process; not looked for where it was last found in another one. */
  get here(): MachineInstance | undefined {
    if (this.kept !== undefined) return undefined;
    if (this.cluster !== undefined || (this.link !== undefined && this.link.closed === undefined))
      return undefined;
    return this.member.instanceHere(this.group, this.id);
  }

  trySend(event: EventObject): boolean {
    if (this.hasNoRoomFor(event)) {
      this.member.throttled();
      return false;
    }
    const text = this.textOf(event);
    const { link } = this;
    if (this.kept !== undefined && this.isIdle) return this.kept.trySend(event);
    if (link === undefined || link.closed !== undefined || !this.isIdle) {
      this.look();
      this.member.throttled();
      return false;
    }
    if (link.tryEvent(this, text, this, event)) return true;
    this.member.throttled();
    return false;
  }

  /**
   * Whether an event can't leave now whatever its text is, so that it need not be written. Whether it may be sent at all is found out first.
   *
   * @throws EventInvalidError, GroupReleasedError
   */
  private hasNoRoomFor(event: EventObject): boolean {
    const { link, member } = this;
    if (link === undefined || link.closed !== undefined || !this.isIdle || !link.isFull) return false;
    member.assertOpen();
    return isPlainEvent(event, this.id, member.core.settings.maxEventValues);
  }

  send(event: EventObject, messageId?: string): Promise<void> {
    const text = this.textOf(event, messageId);
    const send = new PendingSend(this);
    if (messageId !== undefined || !this.leavesNow(text, send, event)) {
      this.assertMayPost(text);
      this.post(new Posting(EVENT, this, text, 0, send, event, messageId));
    }
    return send.promise;
  }

  /** Of an adopted step: waits as long as it takes; what it fails with is reported. */
  sendFromStep(sender: MachineInstance, event: EventObject): void {
    const send = new StepSend(this, sender);
    try {
      const text = this.textOf(event);
      if (!this.leavesNow(text, send, event)) this.post(new Posting(EVENT, this, text, 0, send, event));
    } catch (error) {
      send.ended(error as Error, event);
    }
  }

  private leavesNow(text: string, courier: Courier, event: EventObject): boolean {
    const { link } = this;
    if (link === undefined || link.closed !== undefined || !this.isIdle) return false;
    return link.tryEvent(this, text, courier, event);
  }

  /** @throws EventInvalidError, EventPayloadError, NotJsonError, FrameTooLargeError, GroupReleasedError */
  textOf(event: EventObject, messageId?: string): string {
    this.member.assertOpen();
    const text = eventText(event, this.id, this.member.core.settings.maxEventValues);
    if (messageId !== undefined) assertMessageId(messageId);
    this.member.assertFits(messageId === undefined ? text : namedText(text, messageId));
    return text;
  }

  /**
   * Before something is posted that may have to wait, which is counted where it does.
   *
   * @throws CeilingError
   */
  assertMayPost(text: string): void {
    const { link, kept, member } = this;
    const leaves =
      this.isIdle &&
      (kept !== undefined || (link?.closed === undefined && link?.takes(text.length) === true));
    if (!leaves) member.throttled();
    member.assertMayWait();
  }

  post(posting: Posting): void {
    const { link, kept } = this;
    if (this.isIdle && kept !== undefined) {
      deliverKept(kept, posting);
      return;
    }
    if (this.isIdle && link !== undefined && link.closed === undefined) {
      link.submit(posting);
      return;
    }
    this.member.waits(1);
    this.queue.push(posting);
    this.look();
  }

  withdraw(posting: Posting): void {
    if (posting.number === 0) posting.cancelled = true;
    else this.link?.withdraw(posting);
  }

  /** It was not where it was sought. */
  isElsewhere(): void {
    this.link = undefined;
    this.kept = undefined;
  }

  accepted(): void {}

  replied(): void {}

  /** Of events that `trySend` took. */
  ended(error: Error, event: EventObject | undefined): void {
    this.notice(error);
    if (event !== undefined) this.member.reportUndelivered(this, event, error);
  }

  notice(error: Error): void {
    const isGone = error instanceof MachineStoppedError && this.kept !== undefined;
    if (error instanceof UnknownMachineError || isGone) this.isElsewhere();
  }

  /** Where it is now; undefined: nowhere. */
  locate(): Promise<Outgoing | MachineInstance | KeptMachine | undefined> {
    const { member, group, id, cluster } = this;
    return cluster === undefined ? member.locate(group, id) : member.abroad.gates.locate(cluster, group, id);
  }

  private look(): void {
    if (this.looking) return;
    this.looking = true;
    this.locate().then(
      (place) => this.found(place),
      (error: Error) => this.lookedInVain(error),
    );
  }

  private found(place: Outgoing | MachineInstance | KeptMachine | undefined): void {
    this.looking = false;
    if (place === undefined) {
      this.lookedInVain(new UnknownMachineError(this.id, this.group, 'id'));
      return;
    }
    const waiting = this.takeQueue();
    if (place instanceof KeptMachine) {
      this.kept = place;
      this.link = undefined;
      for (const posting of waiting) if (!posting.cancelled) deliverKept(place, posting);
    } else if ('inFlight' in place) {
      this.link = place;
      for (const posting of waiting) if (!posting.cancelled) place.submit(posting);
    } else for (const posting of waiting) if (!posting.cancelled) deliverHere(place, posting);
  }

  private lookedInVain(error: Error): void {
    this.looking = false;
    for (const { cancelled, courier, event } of this.takeQueue()) if (!cancelled) courier.ended(error, event);
  }

  private takeQueue(): Posting[] {
    const { queue } = this;
    this.queue = [];
    this.member.waits(-queue.length);
    return queue;
  }

  /** The group is released. */
  giveUp(error: Error): void {
    for (const { cancelled, courier, event } of this.takeQueue()) if (!cancelled) courier.ended(error, event);
  }
}

/** It was started in this process while it was being sought. */
function deliverHere(
  instance: MachineInstance,
  { kind, courier, event, timeoutMs, messageId }: Posting,
): void {
  const { reception } = instance.core;
  const failed = (error: Error): void => courier.ended(error, event);
  if (kind === EVENT) {
    reception.send(instance, event as EventObject, messageId).then(() => courier.accepted(), failed);
  } else if (kind === REQUEST) {
    reception
      .ask(instance, event as EventObject, { timeoutMs, ...(messageId === undefined ? {} : { messageId }) })
      .then((result) => courier.replied(new LocalAnswer(result)), failed);
  } else courier.ended(new UnknownMachineError(instance.id, instance.core.name, 'id'), event);
}

/** It is a durable machine: its owner, or its store, answers. */
function deliverKept(kept: KeptMachine, posting: Posting): void {
  const { courier, event } = posting;
  answerOf(kept, posting).then(
    (answer) => (answer === undefined ? courier.accepted() : courier.replied(answer)),
    (error: Error) => courier.ended(error, event),
  );
}

async function answerOf(kept: KeptMachine, posting: Posting): Promise<unknown> {
  const { kind, event, text, timeoutMs, messageId } = posting;
  const id = messageId === undefined ? {} : { messageId };
  const definition = posting.target?.definition;
  switch (kind) {
    case EVENT:
      await kept.send(event as EventObject, messageId);
      return undefined;
    case REQUEST:
      return new LocalAnswer(await kept.request(event as EventObject, { timeoutMs, ...id }, definition));
    case SNAPSHOT:
      return LocalAnswer.of(await kept.snapshot(definition));
    case WAIT:
      return LocalAnswer.of(
        await kept.waitFor(
          JSON.parse(text) as string,
          timeoutMs === 0 ? {} : { timeoutMs: timeoutMs - 1 },
          definition,
        ),
      );
    case STOP:
      await kept.stop();
      return null;
    default:
      throw new UnknownMachineError(kept.id, kept.group, 'id');
  }
}
