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
      { maxBatch: 3, maxInFlight: 1 },
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

  describe('with a clock', () => {
    function gated(limits: { maxBatch?: number; maxInFlight?: number } = {}) {
      const due: (() => void)[] = [];
      const clock = {
        schedule: (_delayMs: number, task: () => void) => {
          due.push(task);
          return { cancel: () => void due.splice(due.indexOf(task), 1) };
        },
      };
      const batches: number[] = [];
      const gates: (() => void)[] = [];
      const coalescer = new Coalescer<number, number>(
        async (batch) => {
          batches.push(batch.length);
          await new Promise<void>((resolve) => gates.push(resolve));
          return batch;
        },
        { ...limits, clock },
      );
      const submit = (count: number): Promise<unknown> =>
        Promise.all(Array.from({ length: count }, (_, n) => coalescer.submit(n)));
      return {
        batches,
        due,
        submit,
        answer: () => gates.shift()?.(),
        elapse: () => due.splice(0).forEach((task) => task()),
      };
    }

    it('a small batch waits until the one before it is answered', async () => {
      const { batches, submit, answer } = gated();
      const first = submit(1);
      await Promise.resolve();
      const second = submit(31);
      await Promise.resolve();
      expect(batches).toEqual([1]);
      answer();
      await first;
      await Promise.resolve();
      expect(batches).toEqual([1, 31]);
      answer();
      await second;
    });

    it('a large batch goes out beside it', async () => {
      const { batches, submit } = gated();
      void submit(1);
      await Promise.resolve();
      void submit(32);
      await Promise.resolve();
      expect(batches).toEqual([1, 32]);
    });

    it('what comes at once is divided, so that a part is handled while the store has the others', async () => {
      const { batches, submit, answer } = gated();
      const waves = submit(256);
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
      expect(batches).toEqual([100, 100, 56]);
      for (const _ of batches) answer();
      await waves;
    });

    it('and so does a small one behind one that takes long, up to the number that may be under way', async () => {
      const { elapse, batches, submit } = gated({ maxInFlight: 3 });
      for (let n = 1; n <= 4; n += 1) {
        void submit(n);
        await Promise.resolve();
        elapse();
        await Promise.resolve();
      }
      expect(batches).toEqual([1, 2, 3]);
    });

    it('no time is kept once nothing waits', async () => {
      const { due, submit, answer } = gated();
      const first = submit(1);
      await Promise.resolve();
      const second = submit(1);
      answer();
      await first;
      await Promise.resolve();
      answer();
      await second;
      expect(due).toEqual([]);
    });
  });
});
