import { describe, expect, it } from 'vitest';
import { Coalescer } from './coalescer.js';

describe('Coalescer', () => {
  it('sends what comes at once in one batch, and what comes meanwhile in the next', async () => {
    const batches: number[][] = [];
    const gates: (() => void)[] = [];
    const coalescer = new Coalescer<number, number>(
      async (batch) => {
        batches.push([...batch]);
        await new Promise<void>((resolve) => gates.push(resolve));
        return batch.map((n) => n * 2);
      },
      3,
      1,
    );
    const first = [1, 2].map((n) => coalescer.submit(n));
    await Promise.resolve();
    const rest = [3, 4, 5, 6].map((n) => coalescer.submit(n));
    gates.shift()?.();
    expect(await Promise.all(first)).toEqual([2, 4]);
    await Promise.resolve();
    gates.shift()?.();
    expect(await Promise.all(rest.slice(0, 3))).toEqual([6, 8, 10]);
    await Promise.resolve();
    gates.shift()?.();
    expect(await rest[3]).toBe(12);
    expect(batches).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  it('rejects one request alone where its answer is an error, and all of a batch that fails', async () => {
    const single = new Coalescer<string, string>(async (batch) =>
      batch.map((n) => (n === 'bad' ? new Error('no') : n)),
    );
    const [good, bad] = [single.submit('good'), single.submit('bad')];
    await expect(good).resolves.toBe('good');
    await expect(bad).rejects.toThrow('no');

    const whole = new Coalescer<string, string>(() => Promise.reject(new Error('away')));
    await expect(Promise.allSettled([whole.submit('a'), whole.submit('b')])).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
  });
});
