import type { EventObject } from '@nestjs-orchestrator/statechart';
import { PeerLostError } from '../../errors/transport-errors.js';
import { GroupReleasedError, RequestTimeoutError } from '../errors.js';
import type { ClusterMember } from './cluster-member.js';
import type { Outgoing } from './link/outgoing.js';
import { Posting } from './link/posting.js';
import { PendingQuestion } from './remote/pending-question.js';
import { eventText } from './wire/event-text.js';
import { BROADCAST } from './wire/format.js';

/** Sends an event to every machine of a group in the processes behind these links; their number, when all have accepted it. */
export async function broadcastOver(
  member: ClusterMember,
  links: readonly Outgoing[],
  group: string,
  event: EventObject,
): Promise<number> {
  const { maxEventValues } = member.core.settings;
  const text = `{"group":${JSON.stringify(group)},"event":${eventText(event, `every machine of ${group}`, maxEventValues)}}`;
  member.assertFits(text);
  const counts = await Promise.all(links.map((out) => askProcess(member, out, text, event)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** One that is lost meanwhile, or ends, is left out, as machines are that end. */
async function askProcess(
  member: ClusterMember,
  out: Outgoing,
  text: string,
  event: EventObject,
): Promise<number> {
  const question = new PendingCount(member, out, event);
  const posting = new Posting(BROADCAST, undefined, text, 0, question, event);
  question.sent(posting);
  out.submit(posting);
  try {
    return await question.promise;
  } catch (error) {
    if (out.closed instanceof PeerLostError) return 0;
    if (error instanceof GroupReleasedError && !member.core.released) return 0;
    throw error;
  }
}

/** How many machines of a process have accepted an event. */
class PendingCount extends PendingQuestion<number> {
  constructor(
    member: ClusterMember,
    private readonly out: Outgoing,
    private readonly event: EventObject,
  ) {
    super(member, { timeoutMs: member.core.settings.requestTimeoutMs, signal: undefined });
  }

  override get address(): string {
    return this.out.to.name;
  }

  protected override read(payload: unknown): number {
    return Number(payload);
  }

  protected override late(withdrawn: boolean): Error {
    return new RequestTimeoutError(this.address, this.event.type, this.timeoutMs as number, withdrawn);
  }

  protected override takeBack(posting: Posting): void {
    this.out.withdraw(posting);
  }
}
