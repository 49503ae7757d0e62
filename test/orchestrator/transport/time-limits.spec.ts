import { describe, expect, it } from 'vitest';
import { groupOf, rejection } from '../support.js';
import { ledger, registerLedger, stage } from './support.js';

const wrong = [Number.NaN, -1, -Infinity, null, '5', {}];
const badLimit = expect.objectContaining({ code: 'ORCHESTRATOR_OPTION', option: 'timeoutMs' }) as Error;

describe('a limit of time', () => {
  it.each(wrong)('of %s is refused, in the same process and for another one', async (timeoutMs) => {
    const { join } = stage();
    const [one, two] = [await join('one'), await join('two')];
    const here = await two.group.spawn(ledger, { id: 'books' });
    for (const ref of [here, one.group.ref('books')]) {
      const limits = { timeoutMs: timeoutMs as number };
      expect(await rejection(ref.request({ type: 'COUNT' }, limits))).toEqual(badLimit);
      expect(await rejection(ref.waitFor('closed', limits))).toEqual(badLimit);
    }
    expect(await rejection(two.group.drain({ timeoutMs: timeoutMs as number }))).toEqual(badLimit);
    expect(one.group.stats()).toMatchObject({ pendingRequests: 0 });
  });

  it.each([Infinity, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER])(
    'of %s reaches another process, which goes on with the others',
    async (timeoutMs) => {
      const { join } = stage();
      const [one, two] = [await join('one'), await join('two')];
      await two.group.spawn(ledger, { id: 'books' });
      const ref = one.group.ref('books');
      const asked = ref.request({ type: 'HOLD' }, { timeoutMs });
      const waited = ref.waitFor('closed', { timeoutMs });
      await two.hands.holding.opened;
      two.hands.hold.open();
      expect(await asked).toMatchObject({ changed: true });
      await ref.send({ type: 'CLOSE' });
      expect(await waited).toMatchObject({ status: 'active' });
    },
  );

  it('of Infinity is none', async () => {
    const group = groupOf('for-ever');
    const hands = registerLedger(group);
    const ref = await group.spawn(ledger);
    const asked = ref.request({ type: 'HOLD' }, { timeoutMs: Infinity });
    const waited = ref.waitFor('closed', { timeoutMs: Infinity });
    await hands.holding.opened;
    hands.hold.open();
    expect(await asked).toMatchObject({ changed: true });
    await ref.send({ type: 'CLOSE' });
    expect(await waited).toMatchObject({ status: 'active' });
  });
});
