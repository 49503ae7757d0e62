import type { AnySaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';
import {
  Began,
  down,
  Failed,
  noting,
  Refund,
  Refunded,
  RefundRefused,
  undoing,
  type UndoHandler,
} from './undoing.js';

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

const id = 'x';
const ADA = { by: 'ada', reason: 'looked into it' };

describe.each(storeKinds)('undo steps, on $kind', (kind) => {
  const open = async (made: ReturnType<typeof undoing>, commands = [Refund]) =>
    (rig = await openRig<AnySaga>(kind, made, { commands }));
  const statuses = async (): Promise<readonly string[]> =>
    ((await rig?.find(id))?.undo ?? []).map(({ name, status }) => `${name} ${status}`);
  const target = async () => ({ saga: 'undoing', id: (await rig?.find(id))?.id ?? '' });

  it('run last first, and beside each other within a scope', async () => {
    const ran: string[] = [];
    let gate = (): void => {};
    const held = new Promise<void>((resolve) => (gate = resolve));
    const made = undoing(noting(ran, { two: () => held, three: () => held }), {}, 'parcels');
    const { play, clock, standing } = await open(made);
    await play(new Began({ id }), new Failed({ id }));
    expect(ran.toSorted()).toEqual(['three', 'two']);
    gate();
    await clock.settled();
    expect(ran.at(-1)).toBe('one');
    expect(await standing(id)).toBe('failed compensated');
  });

  it('are tried as often and as long apart as their policy says', async () => {
    const attempts: number[] = [];
    const made = undoing(
      { two: ({ attempt }) => (attempts.push(attempt), attempt < 3 ? down() : undefined) },
      { two: { attempts: 3, delay: '10m', backoff: 2, maxDelay: '1h' } },
    );
    const { play, advance, standing } = await open(made);
    await play(new Began({ id }), new Failed({ id }));
    await advance('4m');
    expect(attempts).toEqual([1]);
    await advance('6m');
    expect(attempts).toEqual([1, 2]);
    await advance('9m');
    expect(attempts).toEqual([1, 2]);
    await advance('11m');
    expect(attempts).toEqual([1, 2, 3]);
    expect(await standing(id)).toBe('failed compensated');
  });

  it.each([
    ['skip', 'two skipped', 'partially-compensated'],
    ['resolve', 'two resolved', 'compensated'],
  ] as const)('go on when an operator says %s', async (verb, step, status) => {
    const made = undoing({ two: down }, { two: { attempts: 1 } });
    const { play, host, clock, standing } = await open(made);
    await play(new Began({ id }), new Failed({ id }));
    await host.operator[verb]({ ...(await target()), step: 2 }, ADA);
    await clock.settled();
    expect(await statuses()).toEqual(['one done', step, 'three done']);
    expect(await standing(id)).toBe(`failed ${status}`);
    const { undo } = (await rig?.find(id)) ?? {};
    expect(undo?.[1]).toMatchObject({ reason: ADA.reason });
  });

  it('go on by themselves where their policy says so, and the saga ends as partially compensated', async () => {
    const made = undoing({ two: down }, { two: { attempts: 1, onFailure: 'continue' } });
    const { play, standing } = await open(made);
    await play(new Began({ id }), new Failed({ id }));
    expect(await statuses()).toEqual(['one done', 'two failed', 'three done']);
    expect(await standing(id)).toBe('failed partially-compensated');
  });

  it('hold the saga where their policy says escalate, until an operator has settled it', async () => {
    const made = undoing({ two: down }, { two: { attempts: 1, onFailure: 'escalate' } });
    const { play, host, clock, standing } = await open(made);
    await play(new Began({ id }), new Failed({ id }));
    expect(await standing(id)).toBe('failed held');
    await host.operator.resolve(await target(), ADA);
    await clock.settled();
    expect(await standing(id)).toBe('failed compensated');
  });

  it('that send a command are done when its answer comes', async () => {
    const ran: string[] = [];
    const send: UndoHandler = (ctx) => ctx.send(new Refund({ id }));
    const made = undoing(noting(ran, { two: send }), {
      two: { answeredBy: Refunded, answerTimeout: '1h' },
    });
    const { play, handled, standing } = await open(made);
    await play(new Began({ id }), new Failed({ id }));
    expect(handled).toEqual([{ name: 'u.refund', body: { id } }]);
    expect(await statuses()).toEqual(['one recorded', 'two awaiting', 'three done']);
    expect(ran).toEqual(['three', 'two']);
    await play(new Refunded({ id }));
    expect(ran).toEqual(['three', 'two', 'one']);
    expect(await standing(id)).toBe('failed compensated');
  });

  it('that get no answer in time are tried again, and fail when that was often enough', async () => {
    const send: UndoHandler = (ctx) => ctx.send(new Refund({ id }));
    const policy = { answeredBy: Refunded, answerTimeout: '1h', attempts: 2 } as const;
    const { play, advance, handled, standing } = await open(undoing({ two: send }, { two: policy }));
    await play(new Began({ id }), new Failed({ id }));
    await advance('61m');
    expect(handled).toHaveLength(2);
    expect(await standing(id)).toBe('failed compensating');
    await advance('61m');
    expect(await standing(id)).toBe('failed compensation-failed');
    expect((await rig?.find(id))?.undo[1]?.error).toMatch(/no 'u.refunded' came within 3600000 ms/);
  });

  it('whose command is refused have failed', async () => {
    const send: UndoHandler = (ctx) => ctx.send(new Refund({ id }));
    const policy = { answeredBy: Refunded, refusedBy: RefundRefused };
    const { play, standing } = await open(undoing({ two: send }, { two: policy }));
    await play(new Began({ id }), new Failed({ id }), new RefundRefused({ id }));
    expect(await standing(id)).toBe('failed compensation-failed');
  });

  it('are run when an operator cancels, and the timers of the saga come no more', async () => {
    const ran: string[] = [];
    const { play, host, advance, standing, history } = await open(undoing(noting(ran)));
    await play(new Began({ id }));
    await host.operator.cancel(await target(), ADA);
    await advance('4h');
    expect(ran).toEqual(['three', 'two', 'one']);
    expect(await standing(id)).toBe('open cancelled');
    expect((await history(id)).filter((line) => line.startsWith('operator'))).toEqual(['operator cancel']);
    await expect(host.operator.cancel(await target(), ADA)).rejects.toThrow(/has ended as 'cancelled'/);
  });

  it('that have not failed are not settled, nor those of another tenant or instance', async () => {
    const { play, host } = await open(undoing({}));
    await play(new Began({ id }));
    const here = await target();
    await expect(host.operator.retry(here, ADA)).rejects.toThrow(/no such failed undo step/);
    await expect(host.operator.replay(here, ADA)).rejects.toThrow(/only held instances/);
    await expect(host.operator.skip({ ...here, tenant: 'other' }, ADA)).rejects.toThrow(/tenant 'other'/);
    await expect(host.operator.skip({ ...here, id: 'none' }, ADA)).rejects.toThrow(/no such instance/);
    await expect(host.operator.cancel({ ...here, saga: 'none' }, ADA)).rejects.toThrow(/does not have saga/);
    await expect(host.operator.cancel(here, { by: ' ', reason: 'x' })).rejects.toThrow(/'by' must say/);
  });
});

it('an undo policy is checked with its definition', () => {
  const define = () => undoing({}, { one: { attempts: 0, answeredBy: Refund, onFailure: 'stop' as never } });
  expect(define).toThrow(
    /attempts: 0 must be[\s\S]*onFailure: 'stop' must be[\s\S]*'u.refund' must be among/,
  );
});
