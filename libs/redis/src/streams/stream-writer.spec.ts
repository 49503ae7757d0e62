import type { Cancellable } from '@nestjs-orchestrator/core/ports';
import { systemClock } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it } from 'vitest';
import type { Call } from '../connection/script.js';
import { unpack } from './packing.js';
import type { Caller, Pipe } from './pipe.js';
import { appendScript } from './scripts.js';
import { type StreamTarget, StreamWriter } from './stream-writer.js';

/** A writer whose server and time are the test's. */
function writerOf(whenFull: StreamTarget['whenFull']) {
  const timers = new Set<{ readonly delayMs: number; readonly run: () => void }>();
  const ready = new Set<Caller>();
  const ends: string[] = [];
  const troubles: string[] = [];
  const schedule = (delayMs: number, run: () => void): Cancellable => {
    const timer = { delayMs, run };
    timers.add(timer);
    return { cancel: () => void timers.delete(timer) };
  };
  const target: StreamTarget = {
    script: appendScript,
    stream: 'stream',
    seen: 'seen',
    frames: 'frames',
    limit: 10,
    whenFull,
    troubled: ({ message }) => void troubles.push(message),
  };
  const pipe = { add: (caller: Caller) => void ready.add(caller) } as unknown as Pipe;
  const writer = new StreamWriter(target, pipe, { ...systemClock, schedule });
  return {
    writer,
    ends: () => ends.splice(0),
    troubles: () => troubles.splice(0),
    push: (...texts: readonly string[]) =>
      texts.forEach((text) =>
        writer.push({
          name: '',
          bytes: Buffer.from(text),
          taken: () => void ends.push(`${text} taken`),
          refused: (error) => void ends.push(`${text} ${error?.message ?? 'full'}`),
        }),
      ),
    /** The number of the first frame and all texts of the call that is sent now; undefined: none. */
    sends(): readonly [first: number, ...texts: string[]] | undefined {
      const wanted = ready.delete(writer);
      const call = wanted ? writer.next() : undefined;
      return call === undefined ? undefined : [Number(call.args[2]), ...textsOf(call)];
    },
    /** Everything that is scheduled is due. */
    later(): readonly number[] {
      const due = [...timers];
      timers.clear();
      for (const { run } of due) run();
      return due.map(({ delayMs }) => delayMs);
    },
  };
}

function textsOf({ args }: Call): string[] {
  return args
    .filter((arg) => Buffer.isBuffer(arg))
    .flatMap((packed) => unpack(packed).map(({ bytes }) => bytes.toString()));
}

describe('frames for a stream that lets them wait', () => {
  it('are tried again in order while the server lets nothing in; that is told once, until it does', () => {
    const { writer, push, sends, later, ends, troubles } = writerOf('wait');
    push('1', '2');
    expect(sends()).toEqual([1, '1', '2']);
    writer.answered(new Error('NOPERM'));
    push('3');
    expect([sends(), writer.pending, ends()]).toEqual([undefined, 3, []]);
    expect(later()).toEqual([4]);
    expect(sends()).toEqual([3, '1', '2', '3']);
    writer.answered(new Error('NOPERM'));
    expect([later(), troubles()]).toEqual([[8], ['NOPERM']]);
    expect(sends()).toEqual([6, '1', '2', '3']);
    writer.answered(3);
    expect([ends(), writer.pending]).toEqual([['1 taken', '2 taken', '3 taken'], 0]);
    push('4');
    expect(sends()).toEqual([9, '4']);
    writer.answered(new Error('NOPERM again'));
    expect(troubles()).toEqual(['NOPERM again']);
  });

  it('wait for room behind those that found some', () => {
    const { writer, push, sends, later, ends } = writerOf('wait');
    push('1', '2', '3');
    expect(sends()).toEqual([1, '1', '2', '3']);
    writer.answered(1);
    expect([ends(), later(), sends()]).toEqual([['1 taken'], [2], [4, '2', '3']]);
    writer.answered(2);
    expect(ends()).toEqual(['2 taken', '3 taken']);
  });

  it('end with the way', () => {
    const { writer, push, sends, later, ends } = writerOf('wait');
    push('1');
    sends();
    writer.answered(0);
    writer.close(new Error('gone'));
    push('2');
    expect([ends(), later(), sends()]).toEqual([['1 gone', '2 gone'], [], undefined]);
  });
});

describe('frames for a stream that refuses', () => {
  it('are refused alone, where it is full and where the server says why', () => {
    const { writer, push, sends, ends } = writerOf('refuse');
    push('1', '2');
    sends();
    push('3');
    writer.answered(1);
    expect([ends(), sends()]).toEqual([
      ['1 taken', '2 full'],
      [3, '3'],
    ]);
    writer.answered(new Error('WRONGTYPE'));
    expect([ends(), writer.pending]).toEqual([['3 WRONGTYPE'], 0]);
  });

  it('are the same until the server has answered', () => {
    const { writer, push, sends } = writerOf('refuse');
    push('1');
    const first = sends();
    push('2');
    // The pipe asks again where the answer was lost.
    expect([sends(), first]).toEqual([
      [1, '1'],
      [1, '1'],
    ]);
    writer.answered(1);
    expect(sends()).toEqual([2, '2']);
  });
});
