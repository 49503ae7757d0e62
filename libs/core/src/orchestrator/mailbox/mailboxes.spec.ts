import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mailboxes } from './mailboxes.js';

function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('Mailboxes', () => {
  it('runs the tasks of one mailbox one after the other, in order', async () => {
    const mailboxes = new Mailboxes();
    const first = gate();
    const log: string[] = [];
    const a = mailboxes.run('m', async () => {
      log.push('a starts');
      await first.opened;
      log.push('a ends');
    });
    const b = mailboxes.run('m', async () => void log.push('b'));
    first.open();
    await Promise.all([a, b]);
    expect(log).toEqual(['a starts', 'a ends', 'b']);
  });

  it('runs other mailboxes while one waits', async () => {
    const mailboxes = new Mailboxes();
    const held = gate();
    const waiting = mailboxes.run('slow', () => held.opened);
    await expect(mailboxes.run('quick', async () => 'done')).resolves.toBe('done');
    expect(mailboxes.busy).toBe(1);
    held.open();
    await waiting;
  });

  it('goes on after a task that fails, and forgets mailboxes at rest', async () => {
    const mailboxes = new Mailboxes();
    const failing = mailboxes.run('m', () => Promise.reject(new Error('no')));
    const next = mailboxes.run('m', async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
    await Promise.resolve();
    expect(mailboxes.busy).toBe(0);
  });

  it('shows the passengers behind the running task, up to the first task without one, and settles those that were taken along', async () => {
    const mailboxes = new Mailboxes<string>();
    const held = gate();
    const ran: string[] = [];
    const task = (name: string) => async () => void ran.push(name);
    const first = mailboxes.run('m', () => held.opened, 'first');
    const along = mailboxes.run('m', () => Promise.reject(new Error('taken along')), 'second');
    const rest = [
      mailboxes.run('m', task('third'), 'third'),
      mailboxes.run('m', task('a chore')),
      mailboxes.run('m', task('fourth'), 'fourth'),
    ];
    expect([1, 2, 3, 4, 5].map((place) => mailboxes.behind('m', place))).toEqual([
      'second',
      'third',
      undefined,
      undefined,
      undefined,
    ]);
    expect(mailboxes.behind('another', 1)).toBeUndefined();
    mailboxes.takeAlong('m', 1, 'done along');
    await expect(along).resolves.toBe('done along');
    held.open();
    await Promise.all([first, ...rest]);
    expect(ran).toEqual(['third', 'a chore', 'fourth']);
  });

  it('keeps order and exclusion for any mix of mailboxes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 4 }))),
        async (jobs) => {
          const mailboxes = new Mailboxes();
          const running = new Set<number>();
          const finished: number[][] = [[], [], [], []];
          await Promise.all(
            jobs.map(([box, turns], index) =>
              mailboxes.run(String(box), async () => {
                expect(running.has(box)).toBe(false);
                running.add(box);
                for (let i = 0; i < turns; i++) await Promise.resolve();
                running.delete(box);
                finished[box]?.push(index);
              }),
            ),
          );
          for (const order of finished) expect(order).toEqual([...order].sort((x, y) => x - y));
        },
      ),
    );
  });
});
