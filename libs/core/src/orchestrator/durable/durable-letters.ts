import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { Logger } from '../../ports/logger.js';
import type { FrameLetter, LetterRange } from '../../ports/partitioned-transport.js';
import { OrchestratorOptionError } from '../errors.js';
import { DeadLetterNameError } from './durable-errors.js';
import { type DurableFrame, readableFrame } from './durable-frame.js';
import { letterName, letterPlace } from './letter-name.js';
import { lettersInOrder } from './letter-order.js';

/** Something for a durable machine that was given up, kept until somebody decides. */
export interface DurableLetter {
  /** Names this letter in its group, for `replayLetter` and `discardLetter`. */
  readonly letter: string;
  /** Id of the machine that it is for. */
  readonly machine: string;
  /** An `event`; the `start` or `stop` of a machine; a `wait` for a state; `unreadable`: what this build can't read, as another build or somebody else has written it. */
  readonly kind: DurableFrame['kind'] | 'unreadable';
  /** Of an `event`. */
  readonly event?: EventObject;
  /** Of a `start`: the definition, and what the machine starts from. */
  readonly definition?: string;
  readonly input?: unknown;
  /** By it the machine knows a repeat. */
  readonly messageId?: string;
  /** Group of the sender, where that is another one. */
  readonly from?: string;
  /** Of an `unreadable` one. */
  readonly bytes?: Uint8Array;
  /** Why it was given up. */
  readonly reason: string;
  /** Deliveries that failed, or whose process ended; 1 where it was given up at once. */
  readonly attempts: number;
  /** When it was given up, in milliseconds since the epoch by the server's clock. */
  readonly at: number;
}

/** Which dead letters of durable machines to list. */
export interface DurableLetterOptions {
  /** Those of one machine. Default: of all. */
  readonly machine?: string;
  /** How many at most. Default: all. */
  readonly limit?: number;
}

/** Who settles a dead letter, and why; kept in the log, where the letter is no more. */
export interface LetterAudit {
  /** Who: a name that means something to your people, of 1 to 512 characters. */
  readonly by: string;
  /** At most 4 000 characters. */
  readonly reason?: string;
}

/** A {@link LetterAudit} that must say why. */
export interface ReasonedLetterAudit extends LetterAudit {
  readonly reason: string;
}

/** What letters are read from. */
export interface LetterBox {
  readonly partitions: number;
  partitionOf(name: string): number;
  letters(limit: number, of?: LetterRange): Promise<readonly FrameLetter[]>;
  settle(letter: Pick<FrameLetter, 'letter' | 'partition'>, how: 'replay' | 'discard'): Promise<boolean>;
}

const LONGEST_NAME = 512;
const LONGEST_REASON = 4_000;

/** Dead letters of the durable machines of a group. */
export class DurableLetters {
  constructor(
    private readonly box: LetterBox,
    private readonly settings: { readonly group: string; readonly logger: Logger },
  ) {}

  /** @throws OrchestratorOptionError, and what the box throws (as rejections) */
  async *list(options: DurableLetterOptions): AsyncGenerator<DurableLetter> {
    const { machine, limit = Number.POSITIVE_INFINITY } = checkedOptions(options);
    const { box } = this;
    const { group } = this.settings;
    const name = machine === undefined ? undefined : `${group}/${machine}`;
    const partition = name === undefined ? undefined : box.partitionOf(name);
    let left = limit;
    for await (const letter of lettersInOrder((most, of) => box.letters(most, of), partition)) {
      if (name !== undefined && letter.name !== name) continue;
      yield letterOf(group, letter);
      left -= 1;
      if (left === 0) return;
    }
  }

  /** @throws DeadLetterNameError, OrchestratorOptionError, and what the box throws (as rejections) */
  async settle(given: unknown, how: 'replay' | 'discard', audit: LetterAudit): Promise<boolean> {
    const letter = nameOf(given);
    const { by, reason } = checkedAudit(audit, how === 'discard');
    const place = letterPlace(letter);
    const { group, logger } = this.settings;
    if (place === undefined || place.partition >= this.box.partitions)
      throw new DeadLetterNameError(letter, group);
    const settled = await this.box.settle(place, how);
    if (settled) {
      const what = how === 'replay' ? 'replayed' : 'discarded';
      logger.info(`A dead letter of group '${group}' was ${what}`, {
        letter,
        by,
        ...(reason === '' ? {} : { reason }),
      });
    }
    return settled;
  }
}

function checkedOptions(options: DurableLetterOptions): DurableLetterOptions {
  const { machine, limit } = options as Partial<Record<keyof DurableLetterOptions, unknown>>;
  if (limit !== undefined && (!Number.isSafeInteger(limit) || (limit as number) < 1))
    throw new OrchestratorOptionError('limit', 'must be a whole number of at least 1', limit);
  if (machine !== undefined && (typeof machine !== 'string' || machine === ''))
    throw new OrchestratorOptionError('machine', 'must be the id of a machine', machine);
  return options;
}

function nameOf(given: unknown): string {
  const letter = (given as { readonly letter?: unknown } | null | undefined)?.letter;
  if (typeof letter === 'string') return letter;
  throw new OrchestratorOptionError('letter', 'must be the `letter` of a dead letter, a text', letter);
}

/** What people are asked for comes from forms: nothing of it is taken for granted. */
function checkedAudit(given: unknown, needsReason: boolean): Required<LetterAudit> {
  const { by, reason = '' } = (given ?? {}) as Partial<Record<keyof LetterAudit, unknown>>;
  if (typeof by !== 'string' || by.trim() === '' || by.length > LONGEST_NAME)
    throw new OrchestratorOptionError('by', `must say who does it, in 1 to ${LONGEST_NAME} characters`, by);
  if (typeof reason !== 'string' || reason.length > LONGEST_REASON)
    throw new OrchestratorOptionError(
      'reason',
      `must be a text of at most ${LONGEST_REASON} characters`,
      reason,
    );
  if (needsReason && reason.trim() === '')
    throw new OrchestratorOptionError('reason', 'must say why a dead letter is discarded', reason);
  return { by, reason };
}

/** For people. What it holds comes from a server, where others may have written: nothing of it is taken for granted. */
function letterOf(group: string, found: FrameLetter): DurableLetter {
  const { name, bytes, reason, attempts, at } = found;
  const about = { letter: letterName(found), reason, attempts, at };
  const machine = name.startsWith(`${group}/`) ? name.slice(group.length + 1) : name;
  const frame = readableFrame(bytes);
  if (frame === undefined) return { ...about, machine, kind: 'unreadable', bytes };
  const { kind, messageId, from, event, definition, input } = frame;
  return {
    ...about,
    machine,
    kind,
    messageId,
    ...(from === undefined ? {} : { from }),
    ...(kind === 'event' ? { event: event as EventObject } : {}),
    ...(kind === 'start' && definition !== undefined ? { definition } : {}),
    ...(kind === 'start' && input !== undefined ? { input } : {}),
  };
}
