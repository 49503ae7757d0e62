import { expect, it, vi } from 'vitest';
import { systemScheduler } from './system-scheduler.js';

it('runs tasks in order, before any turn, and what one throws is thrown again by itself', async () => {
  const rethrown: (() => void)[] = [];
  vi.stubGlobal('queueMicrotask', (task: () => void) => void rethrown.push(task));
  const ran: string[] = [];
  try {
    setImmediate(() => void ran.push('turn'));
    systemScheduler.soon(() => void ran.push('one'));
    systemScheduler.soon(() => {
      ran.push('two');
      systemScheduler.soon(() => void ran.push('four'));
      throw new Error('from a task');
    });
    systemScheduler.soon(() => void ran.push('three'));
    expect(ran).toEqual([]);
    await new Promise<void>((resolve) => systemScheduler.nextTurn(resolve));
  } finally {
    vi.unstubAllGlobals();
  }
  expect(ran).toEqual(['one', 'two', 'three', 'four', 'turn']);
  expect(rethrown).toHaveLength(1);
  expect(rethrown[0]).toThrow('from a task');
});
