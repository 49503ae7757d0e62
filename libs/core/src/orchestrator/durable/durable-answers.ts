import { serialize } from '@nestjs-orchestrator/statechart';
import { isOrchestratorError } from '../../errors/orchestrator-error.js';
import { FrameTooLargeError } from '../../errors/transport-errors.js';
import { parseJson } from '../../message/json.js';
import { failureText } from '../cluster/wire/failure-text.js';
import { type DurableAnswer, type DurableOutcome, type DurableFrame, encodeFrame } from './durable-frame.js';
import type { DurableInstance } from './durable-instance.js';
import type { DurablePlace } from './durable-place.js';

/** Answers to whoever asked; nobody where nobody did. */
export class DurableAnswers {
  constructor(private readonly place: DurablePlace | undefined) {}

  reply(instance: DurableInstance, { replyTo, full }: DurableFrame, outcome: DurableOutcome): void {
    const { place } = this;
    if (replyTo === undefined || place === undefined) return;
    place.answer(
      replyTo.endpoint,
      outcomeFrame(instance, replyTo.request, outcome, full === true, place.maxFrameBytes),
    );
  }

  refuse({ replyTo, machine }: DurableFrame, error: unknown): void {
    if (replyTo !== undefined)
      this.place?.answer(replyTo.endpoint, refusalFrame(replyTo.request, machine, error));
  }
}

/** The answer as a frame. A snapshot that can't travel is left out, with the reason: the answer counts. */
function outcomeFrame(
  { machine }: DurableInstance,
  request: number,
  { changed, duplicate, reply, snapshot, waiting }: DurableOutcome,
  full: boolean,
  maxFrameBytes: number,
): Uint8Array {
  const answer: DurableAnswer = {
    request,
    changed,
    duplicate,
    ...(reply === undefined ? {} : { reply }),
    ...(waiting === undefined ? {} : { waiting }),
  };
  if (!full || snapshot === undefined || typeof snapshot === 'string') return encodeFrame(answer);
  try {
    const frame = encodeFrame({ ...answer, snapshot: serialize(machine, snapshot) });
    if (frame.byteLength <= maxFrameBytes) return frame;
    throw new FrameTooLargeError(frame.byteLength, maxFrameBytes, 'maxFrameBytes');
  } catch (error) {
    return encodeFrame({ ...answer, unsent: parseJson(failureText(error)) });
  }
}

/** The failure as a frame. */
function refusalFrame(request: number, machine: string, error: unknown): Uint8Array {
  const code = isOrchestratorError(error) ? error.code : 'STEP_FAILED';
  const message = error instanceof Error ? error.message : `Machine '${machine}' failed: ${String(error)}`;
  return encodeFrame({ request, error: { code, message, failure: parseJson(failureText(error)) } });
}
