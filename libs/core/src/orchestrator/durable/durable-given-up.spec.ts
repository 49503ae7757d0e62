import type { EventObject } from '@nestjs-orchestrator/statechart';
import { expect, it } from 'vitest';
import { silentLogger } from '../../ports/logger.js';
import { DurableGivenUpError } from './durable-errors.js';
import { type DurableFrame, encodeFrame } from './durable-frame.js';
import { GivenUpFrames } from './durable-given-up.js';

const replyTo = { endpoint: { name: 'asker', incarnation: '1' }, request: 7 };
const frame: DurableFrame = { kind: 'event', machine: 'm', messageId: '1', event: { type: 'GO' } };

function world() {
  const refused: [DurableFrame, unknown][] = [];
  const undelivered: [string, EventObject, unknown][] = [];
  const around = { undelivered: (...told: [string, EventObject, unknown]) => void undelivered.push(told) };
  const frames = new GivenUpFrames(around, silentLogger, (...told) => void refused.push(told));
  const kept = (bytes: Uint8Array, cause?: unknown): void =>
    frames.kept({ id: '1-0.0', name: 'g/m', bytes, attempts: 3 }, { deadLetter: 'It ended.', cause });
  return { frames, refused, undelivered, kept };
}

it('an event that fails is told when it is a dead letter, with what was thrown', () => {
  const { frames, undelivered, refused, kept } = world();
  const error = new Error('no');
  expect(frames.failed(frame, error)).toEqual({ deadLetter: 'no', cause: error });
  expect([undelivered, frames.count]).toEqual([[], 0]);
  kept(encodeFrame(frame), error);
  expect([undelivered, refused, frames.count]).toEqual([[['m', { type: 'GO' }, error]], [], 1]);
});

it('a request that fails is no dead letter: who asks is told', () => {
  const { frames, refused } = world();
  const asked = { ...frame, replyTo };
  const error = new Error('no');
  expect(frames.failed(asked, error)).toBeUndefined();
  expect([refused, frames.count]).toEqual([[[asked, error]], 0]);
});

it('a request that ended each process is a dead letter, and who asks is told', () => {
  const { refused, undelivered, frames, kept } = world();
  kept(encodeFrame({ ...frame, replyTo }));
  expect(undelivered).toEqual([]);
  expect(refused).toHaveLength(1);
  expect(refused[0]?.[1]).toBeInstanceOf(DurableGivenUpError);
  expect(refused[0]?.[1]).toMatchObject({ machine: 'm', attempts: 3, code: 'DURABLE_GIVEN_UP' });
  expect(frames.count).toBe(1);
});

it.each(['', 'null', '7', '{', '{"form":9}', '{"form":1,"kind":"event","machine":"m","messageId":"1"}'])(
  'what can not be read is counted and kept: %s',
  (text) => {
    const { frames, undelivered, refused, kept } = world();
    kept(new TextEncoder().encode(text));
    expect([undelivered, refused, frames.count]).toEqual([[], [], 1]);
  },
);
