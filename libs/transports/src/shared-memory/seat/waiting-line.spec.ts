import { expect, it, onTestFinished, vi } from 'vitest';
import { WaitingLine } from './waiting-line.js';

it('a line in which nobody waits is looked at without an iterator for each look, since a reader looks into all of them again and again', async () => {
  const line = new WaitingLine();
  const frame = new Uint8Array(1);
  const iterated = vi.spyOn(Set.prototype, Symbol.iterator);
  onTestFinished(() => iterated.mockRestore());
  expect([line.first, iterated.mock.calls.length]).toEqual([undefined, 0]);
  const taken = line.join(frame, undefined);
  expect(line.first).toBe(frame);
  line.shift();
  await taken;
  expect(line.first).toBeUndefined();
});
