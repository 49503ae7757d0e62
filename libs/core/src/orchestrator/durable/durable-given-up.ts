import type { Logger } from '../../ports/logger.js';
import type { GivenUp, PartitionedFrame } from '../../ports/partitioned-transport.js';
import { DurableGivenUpError } from './durable-errors.js';
import { type DurableFrame, readableFrame } from './durable-frame.js';
import type { DurableSurroundings } from './durable-surroundings.js';

/** What a process gives up of the partitions that it owns. */
export class GivenUpFrames {
  /** Dead letters that this process has made. */
  count = 0;

  constructor(
    private readonly around: Pick<DurableSurroundings, 'undelivered'>,
    private readonly logger: Logger,
    private readonly refuse: (frame: DurableFrame, error: unknown) => void,
  ) {}

  /** It will not get better, and nothing was changed: whoever asked is told; where nobody did, the event is to be a dead letter. */
  failed(frame: DurableFrame, error: unknown): GivenUp | undefined {
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.warn(`An event for durable machine '${frame.machine}' failed: ${reason}`);
    if (frame.replyTo === undefined) return { deadLetter: reason, cause: error };
    this.refuse(frame, error);
    return undefined;
  }

  /** It is one now: of an event nobody hears otherwise; of a request, which has ended processes, whoever asks. */
  kept({ bytes, attempts }: PartitionedFrame, { deadLetter, cause }: GivenUp): void {
    this.count += 1;
    const frame = readableFrame(bytes);
    if (frame === undefined) return;
    const error = cause ?? new DurableGivenUpError(frame.machine, attempts, deadLetter);
    if (frame.replyTo !== undefined) this.refuse(frame, error);
    else if (frame.event !== undefined) this.around.undelivered(frame.machine, frame.event, error);
  }
}
