import { type EventObject, serialize } from '@nestjs-orchestrator/statechart';
import {
  GroupUnreachableError,
  MachineStartingError,
  RequestTimeoutError,
  UnknownMachineError,
} from '../../errors.js';
import type { GroupCore } from '../../group/group-core.js';
import { assertMessageId } from '../../group/handled-messages.js';
import { Arrival } from '../../instance/deliveries.js';
import type { MachineInstance } from '../../instance/machine-instance.js';
import { type Asker, PendingRequest } from '../../instance/pending-request.js';
import type { EventResult } from '../../machine-ref.js';
import type { Delivery, Waiter } from '../../pool/mailbox.js';
import { BROADCAST, REQUEST, SNAPSHOT, STOP, WAIT } from '../wire/format.js';
import { replyText } from '../wire/event-text.js';
import { failureText } from '../wire/failure-text.js';
import type { Dispatch, Envelope } from './dispatch.js';
import type { Incoming } from './incoming.js';
import { KeptArrivals } from './kept-arrivals.js';
import type { LocalTarget } from './local-target.js';

/** One in so many events has its latency measured. */
const SAMPLED = 16;
/** Groups of other processes have no number here. */
const ELSEWHERE = 0;

/** Takes what comes from other processes into the mailboxes of a group. */
export class Arrivals implements Dispatch {
  private count = 0;
  private readonly kept: KeptArrivals;

  constructor(private readonly core: GroupCore) {
    this.kept = new KeptArrivals(core);
  }

  event(
    link: Incoming,
    target: LocalTarget,
    event: EventObject,
    number: number,
    messageId: string | undefined,
  ): boolean {
    const { core } = this;
    if (messageId !== undefined) assertMessageId(messageId);
    const instance = this.instanceOf(link, target);
    if (instance === undefined) return this.kept.event(link, target, event, number, messageId);
    core.reception.assertAccepts(instance, event);
    this.count += 1;
    const sampled = core.meters.enabled && this.count % SAMPLED === 1;
    const arrival = new Arrival(link, number, sampled ? core.pool.now() : undefined, messageId);
    if (core.reception.offer(instance, event, arrival)) return true;
    core.reception.stand(
      instance,
      new WaitingArrival(core, link, event, arrival, (error) => link.fail(number, error)),
    );
    return false;
  }

  question(link: Incoming, envelope: Envelope): boolean {
    const { kind, number, target, payload } = envelope;
    if (kind === BROADCAST) {
      this.broadcast(link, number, payload);
      return true;
    }
    const instance = this.instanceOf(link, target as LocalTarget);
    if (instance === undefined) {
      this.kept.question(link, target as LocalTarget, envelope);
      return true;
    }
    switch (kind) {
      case REQUEST:
        return this.request(link, instance, envelope);
      case SNAPSHOT:
        link.answer(number, snapshotText(instance));
        return true;
      case WAIT:
        this.wait(link, instance, envelope);
        return true;
      case STOP:
        this.settle(link, number, instance.ref.stop(), () => link.answer(number, 'null'));
        return true;
      default:
        throw new UnknownMachineError(instance.id, this.core.name, 'id');
    }
  }

  /**
   * undefined: it may be a durable one. Who is in the own cluster finds those by himself.
   *
   * @throws UnknownMachineError, MachineStoppedError, GroupReleasedError, GroupUnreachableError
   */
  private instanceOf(link: Incoming, target: LocalTarget): MachineInstance | undefined {
    const { core } = this;
    const known = target.instance;
    if (known !== undefined && known.ended === undefined && !core.released) return known;
    core.assertOpen();
    this.assertAdmitted(link, target.group);
    const instance = core.instances.get(target.id);
    if (instance !== undefined) return (target.instance = instance);
    if (core.durable !== undefined && link.cluster !== undefined) return undefined;
    throw new UnknownMachineError(target.id, core.name, 'id');
  }

  private assertAdmitted(link: Incoming, group: string): void {
    const { core } = this;
    const { cluster } = link;
    const name = link.group as string;
    const from = cluster === undefined ? name : `${cluster}/${name}`;
    if (group !== core.name) throw new GroupUnreachableError(group, from, 'unknown');
    const elsewhere = { groupId: ELSEWHERE, name, ...(cluster === undefined ? {} : { cluster }) };
    if (from !== group && !core.settings.admits(elsewhere))
      throw new GroupUnreachableError(group, from, 'not-allowed');
  }

  private request(
    link: Incoming,
    instance: MachineInstance,
    { number, payload, timeoutMs, messageId }: Envelope,
  ): boolean {
    const { core } = this;
    if (messageId !== undefined) assertMessageId(messageId);
    const event = payload as EventObject;
    core.reception.assertAccepts(instance, event);
    const options = messageId === undefined ? { timeoutMs } : { timeoutMs, messageId };
    const asker = new RemoteAsker(link, number, instance);
    const request = new PendingRequest(instance, event, undefined, core.pool.now(), options, asker);
    asker.request = request;
    link.asked.set(number, asker);
    if (core.reception.offer(instance, event, request)) {
      request.stage = 'queued';
      return true;
    }
    const waiter = new WaitingArrival(core, link, event, request, (error) => request.fail(error));
    request.waiter = waiter;
    try {
      core.reception.stand(instance, waiter);
    } catch (error) {
      request.waiter = undefined;
      request.fail(error);
      return true;
    }
    return false;
  }

  private wait(link: Incoming, instance: MachineInstance, { number, payload, timeoutMs }: Envelope): void {
    const abort = new AbortController();
    link.asked.set(number, { giveUp: () => abort.abort() });
    const limits = timeoutMs === 0 ? {} : { timeoutMs: timeoutMs - 1 };
    const waited = instance.ref.waitFor(String(payload), { signal: abort.signal, ...limits });
    this.settle(link, number, waited, (snapshot) =>
      link.answer(number, serialize(instance.kind.bound, snapshot)),
    );
  }

  private broadcast(link: Incoming, number: number, payload: unknown): void {
    const { group, event } = (payload ?? {}) as { group?: unknown; event?: unknown };
    const { core } = this;
    core.assertOpen();
    if (group !== core.name) {
      link.answer(number, '0');
      return;
    }
    this.assertAdmitted(link, group);
    this.settle(link, number, core.broadcastHere(event as EventObject), (count) =>
      link.answer(number, String(count)),
    );
  }

  private settle<T>(link: Incoming, number: number, work: Promise<T>, answer: (result: T) => void): void {
    work.then(
      (result) => {
        try {
          answer(result);
        } catch (error) {
          link.fail(number, error);
        }
      },
      (error: unknown) => link.fail(number, error),
    );
  }
}

/** Somebody in another process: the answer leaves with the step that gives it. */
class RemoteAsker implements Asker {
  request: PendingRequest | undefined = undefined;

  constructor(
    private readonly link: Incoming,
    private readonly number: number,
    private readonly instance: MachineInstance,
  ) {}

  answered(result: EventResult): void {
    try {
      answerResult(this.link, this.number, this.instance, result);
    } catch (error) {
      this.failed(error);
    }
  }

  failed(error: unknown): void {
    this.link.fail(this.number, error);
  }

  /** The question is taken back. */
  giveUp(): void {
    const { request, instance } = this;
    request?.giveUp((withdrawn) => {
      const { event, timeoutMs } = request;
      return new RequestTimeoutError(instance.id, event.type, timeoutMs, withdrawn);
    });
  }
}

/** What comes in and finds no room: it stands in line as an outside sender of this process would. */
class WaitingArrival implements Waiter {
  cancelled = false;

  constructor(
    private readonly core: GroupCore,
    private readonly link: Incoming,
    readonly event: EventObject,
    readonly delivery: Delivery,
    private readonly failed: (error: unknown) => void,
  ) {}

  accepted(): void {
    this.core.waitingSenders -= 1;
    this.core.queued += 1;
    if (this.delivery instanceof PendingRequest) {
      this.delivery.waiter = undefined;
      this.delivery.stage = 'queued';
    }
    this.link.entered();
  }

  refused(error: unknown): void {
    this.core.waitingSenders -= 1;
    if (this.delivery instanceof PendingRequest) this.delivery.waiter = undefined;
    this.failed(error);
    this.link.entered();
  }

  /** Those behind it wait for their own machines, and for room of their own. */
  leftLine(): void {
    this.link.entered();
  }
}

function snapshotText(instance: MachineInstance): string {
  if (instance.snapshot === undefined) throw new MachineStartingError(instance.id);
  return serialize(instance.kind.bound, instance.snapshot);
}

/** A snapshot that can't travel is left out, with the reason: the answer counts. */
function answerResult(link: Incoming, number: number, instance: MachineInstance, result: EventResult): void {
  const { changed, snapshot, reply, duplicate } = result;
  const text = reply === undefined ? undefined : replyText(reply);
  try {
    const state = serialize(instance.kind.bound, snapshot);
    if (duplicate === true) link.answer(number, `{"changed":false,"duplicate":true,"snapshot":${state}}`);
    else link.answerRequest(number, changed, state, text);
  } catch (error) {
    const rest = text === undefined ? '' : `,"reply":${text}`;
    link.answer(number, `{"changed":${changed},"unsent":${failureText(error)}${rest}}`);
  }
}
