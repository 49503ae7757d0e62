import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { KeptMachine } from '../../durable/kept-machine.js';
import { UnknownMachineError } from '../../errors.js';
import type { GroupCore } from '../../group/group-core.js';
import { REQUEST, SNAPSHOT, STOP, WAIT } from '../wire/format.js';
import type { Envelope } from './dispatch.js';
import type { Incoming } from './incoming.js';
import type { LocalTarget } from './local-target.js';

/** What comes over a gateway for durable machines: this process is a way in to wherever they are at work. */
export class KeptArrivals {
  constructor(private readonly core: GroupCore) {}

  /** Always `false`: accepted is what the transport's server has. What comes behind it waits, in order. */
  event(link: Incoming, target: LocalTarget, event: EventObject, number: number, messageId?: string): false {
    this.known(target)
      .then((kept) => kept.send(event, messageId))
      .then(
        () => {
          link.entered();
          link.done(number);
        },
        (error: unknown) => {
          target.kept = undefined;
          link.fail(number, error);
          link.entered();
        },
      );
    return false;
  }

  question(link: Incoming, target: LocalTarget, envelope: Envelope): void {
    const { number } = envelope;
    const abort = new AbortController();
    link.asked.set(number, { giveUp: () => abort.abort() });
    this.known(target)
      .then((kept) => answerOf(kept, envelope, abort.signal))
      .then((text) => {
        // Its id is free from now on.
        if (envelope.kind === STOP) target.kept = undefined;
        link.answer(number, text);
      })
      .catch((error: unknown) => {
        target.kept = undefined;
        link.fail(number, error);
      });
  }

  /** It was in the store once; what has become of it since, its owner says. After a failure it is looked up anew. */
  private known(target: LocalTarget): Promise<KeptMachine> {
    return (target.kept ??= this.find(target));
  }

  private async find({ group, id }: LocalTarget): Promise<KeptMachine> {
    const found = await this.core.durable?.find(group, id);
    if (found === undefined) throw new UnknownMachineError(id, group, 'id');
    return found;
  }
}

async function answerOf(
  kept: KeptMachine,
  { kind, payload, timeoutMs, messageId }: Envelope,
  signal: AbortSignal,
): Promise<string> {
  switch (kind) {
    case REQUEST:
      return kept.requestText(payload as EventObject, {
        timeoutMs,
        signal,
        ...(messageId === undefined ? {} : { messageId }),
      });
    case SNAPSHOT:
      return kept.snapshotText();
    case WAIT:
      return kept.waitText(String(payload), {
        signal,
        ...(timeoutMs === 0 ? {} : { timeoutMs: timeoutMs - 1 }),
      });
    case STOP:
      await kept.stop();
      return 'null';
    default:
      throw new UnknownMachineError(kept.id, kept.group, 'id');
  }
}
