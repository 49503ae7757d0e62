import { expect, it } from 'vitest';
import type { Cancellable, Clock } from '../../../ports/clock.js';
import { FIRST_PROBE_MS, LONGEST_PROBE_MS, TailProbe } from './tail-probe.js';

/** Time that goes on from one task to the next. */
class Steps implements Clock {
  readonly pauses: number[] = [];
  private task: (() => void) | undefined = undefined;

  now = (): number => 0;
  monotonic = (): number => 0;
  storeNow = (): null => null;

  schedule(delayMs: number, task: () => void): Cancellable {
    if (this.task !== undefined) throw new Error('A timer runs already.');
    this.pauses.push(delayMs);
    this.task = task;
    return { cancel: () => (this.task = undefined) };
  }

  /** `false`: nothing is due, ever. */
  step(): boolean {
    const { task } = this;
    this.task = undefined;
    task?.();
    return task !== undefined;
  }
}

function stage(whileOpen = false) {
  const clock = new Steps();
  const there = { read: 0, accepted: 0, isOpen: true };
  const probes = { sent: 0 };
  const tail = new TailProbe(
    { clock, whileOpen },
    { read: () => there.read, accepted: () => there.accepted, isOpen: () => there.isOpen },
    () => void (probes.sent += 1),
  );
  return { clock, there, probes, tail };
}

it('A frame that was read, or whose envelopes were accepted, is not asked for', () => {
  const { clock, there, probes, tail } = stage();
  tail.sent(1, 0);
  there.read = 1;
  expect([clock.step(), clock.step()]).toEqual([true, false]);
  tail.sent(2, 7);
  there.accepted = 7;
  expect([clock.step(), clock.step()]).toEqual([true, false]);
  expect(probes.sent).toBe(0);
});

it('A frame with remarks alone is asked for, whatever was accepted before', () => {
  const { clock, there, probes, tail } = stage();
  there.accepted = 7;
  tail.sent(3, 0);
  clock.step();
  expect(probes.sent).toBe(1);
});

it('It is asked again, ever more seldom, until it was read', () => {
  const { clock, there, probes, tail } = stage();
  tail.sent(1, 1);
  for (let times = 0; times < 8; times += 1) clock.step();
  expect(probes.sent).toBe(8);
  const seconds = clock.pauses.map((ms) => ms / 1_000);
  expect(seconds).toEqual([2, 4, 8, 16, 32, 60, 60, 60, 60]);
  expect([FIRST_PROBE_MS, LONGEST_PROBE_MS]).toEqual([2_000, 60_000]);
  there.read = 1;
  expect([clock.step(), clock.step()]).toEqual([true, false]);
  expect(probes.sent).toBe(8);
});

it('Where frames are read while others leave, one is asked for in each first pause', () => {
  const { clock, there, probes, tail } = stage();
  for (let frame = 1; frame < 40; frame += 1) {
    tail.sent(frame, 0);
    there.read = frame - 1;
    if (frame % 4 === 0) clock.step();
  }
  expect(probes.sent).toBe(9);
  expect(new Set(clock.pauses)).toEqual(new Set([FIRST_PROBE_MS]));
});

it('Where the end of the other side may be forgotten, it is asked for each minute while anything is open there', () => {
  const { clock, there, probes, tail } = stage(true);
  tail.sent(1, 1);
  there.read = 1;
  for (let times = 0; times < 3; times += 1) clock.step();
  expect(probes.sent).toBe(3);
  expect(clock.pauses.map((ms) => ms / 1_000)).toEqual([2, 60, 60, 60]);
  there.isOpen = false;
  expect([clock.step(), clock.step()]).toEqual([true, false]);
  expect(probes.sent).toBe(3);
});

it('A link that is closed asks for nothing', () => {
  const { clock, probes, tail } = stage();
  tail.sent(1, 1);
  tail.close();
  tail.sent(2, 2);
  expect(clock.step()).toBe(false);
  expect(probes.sent).toBe(0);
});
