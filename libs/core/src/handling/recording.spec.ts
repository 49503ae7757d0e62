import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { message } from '../message/message.js';
import { Recording } from './recording.js';

class Ping extends message('ping', z.object({})) {}
const known = new Map([['refund', undefined]]);

function open(seed: string[] = ['i', 'm']): Recording {
  const recording = new Recording(seed);
  recording.begin('handler');
  return recording;
}

describe('Recording', () => {
  it('keeps the verbs of a handler in order', () => {
    const recording = open();
    const [a, b] = [new Ping({}), new Ping({})];
    recording.add('send', a);
    recording.add('publish', b, { delay: '2s', headers: { h: '1' } });
    recording.compensate(known, 'refund', { x: 1 });
    expect(recording.outgoing).toEqual([
      { verb: 'send', message: a, delayMs: 0, headers: {} },
      { verb: 'publish', message: b, delayMs: 2_000, headers: { h: '1' } },
    ]);
    expect(recording.undo).toEqual([{ name: 'refund', input: { x: 1 } }]);
  });

  it('refuses a verb after its handler has settled', () => {
    const recording = open();
    recording.end();
    expect(() => recording.add('send', new Ping({}))).toThrow(/after its handler had settled/);
    expect(() => recording.compensate(known, 'refund', {})).toThrow(/after its handler had settled/);
    expect(() => recording.uuid()).toThrow(/after its handler had settled/);
  });

  it('refuses closures and unknown names as compensations, and what is no message', () => {
    const recording = open();
    expect(() => recording.compensate(known, async () => {}, {})).toThrow(
      /A closure would be lost at a restart/,
    );
    expect(() => recording.compensate(known, 'refnd', {})).toThrow(/Declared: refund/);
    expect(() => recording.add('send', { looks: 'like one' })).toThrow(/message\('name', schema\)/);
  });

  it('draws the same ids and numbers when a message runs again, others for another message', () => {
    const draw = (r: Recording): unknown[] => [r.uuid(), r.uuid(), r.random()];
    const first = draw(open());
    expect(draw(open())).toEqual(first);
    expect(first[0]).not.toBe(first[1]);
    expect(draw(open(['i', 'n']))).not.toEqual(first);
    expect(first[2]).toBeGreaterThanOrEqual(0);
    expect(first[2]).toBeLessThan(1);
  });
});
