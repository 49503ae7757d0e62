import { array, assert as check, constantFrom, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScheduleError } from './schedule-errors.js';
import { decide, firstDue, nextDue, planOf, samePlan, type ScheduleTime } from './schedule-plan.js';

const NOW = Date.UTC(2030, 0, 1, 12);
const berlin = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
const utc = (text: string): number => Date.parse(text);

describe('a plan', () => {
  it('fires once at an instant, or after a while', () => {
    const at = planOf({ at: new Date(NOW + 5_000) }, NOW);
    expect(at).toEqual(planOf({ in: '5s' }, NOW));
    expect([firstDue(at, NOW), decide(at, 'skip', NOW + 5_000, NOW + 9_000)]).toEqual([
      NOW + 5_000,
      { fire: true, next: null },
    ]);
  });

  it('by cron follows its time zone through both changes of the clocks', () => {
    const plan = planOf(berlin, NOW);
    // The hour from 2 to 3 does not exist on that day: 3 o'clock comes for all of it.
    const spring = nextDue(plan, utc('2030-03-30T12:00:00Z')) as number;
    expect(spring).toBe(utc('2030-03-31T01:00:00Z'));
    expect(nextDue(plan, spring)).toBe(utc('2030-04-01T00:30:00Z'));
    const autumn = nextDue(plan, utc('2030-10-26T12:00:00Z')) as number;
    expect(autumn).toBe(utc('2030-10-27T00:30:00Z'));
    expect(nextDue(plan, autumn)).toBe(utc('2030-10-28T01:30:00Z'));
    expect(firstDue(planOf({ cron: '*/10 * * * * *' }, NOW), NOW)).toBe(NOW);
  });

  it.each<[ScheduleTime, RegExp]>([
    [{} as ScheduleTime, /exactly one of.*found none/],
    [{ at: NOW, in: '1s' }, /at and in/],
    [{ at: new Date(Number.NaN) }, /'at' is no instant/],
    [{ every: '999ms' }, /at least 1000 ms/],
    [{ cron: '61 * * * *' }, /no cron schedule/],
    [{ cron: '? * * * *' }, /'\?' is not supported/],
    [{ cron: '0 0 30 2 *' }, /never fires/],
    [{ ...berlin, timezone: 'Mars/Olympus' }, /Mars\/Olympus/],
  ])('refuses %o', (time, message) => {
    const plan = (): unknown => planOf(time, NOW);
    expect(plan).toThrow(ScheduleError);
    expect(plan).toThrow(message);
  });

  it('is the same as another that means the same', () => {
    const [early, late] = [planOf({ every: '1m' }, NOW), planOf({ every: '1m' }, NOW + 7)];
    expect([samePlan(early, late, false), samePlan(early, late, true)]).toEqual([true, false]);
    expect(samePlan(early, planOf({ every: '2m' }, NOW), false)).toBe(false);
    expect(samePlan(planOf(berlin, NOW), planOf({ ...berlin, timezone: 'UTC' }, NOW), false)).toBe(false);
  });
});

describe('missed due times', () => {
  const plan = planOf({ every: '1m', from: NOW }, NOW);

  it('are not what is late by less than a period', () => {
    for (const policy of ['skip', 'catch-up-once'] as const)
      expect(decide(plan, policy, NOW, NOW + 59_999)).toEqual({ fire: true, next: NOW + 60_000 });
  });

  it('are skipped, or fire once together', () => {
    const late = NOW + 10 * 60_000 + 1;
    expect(decide(plan, 'skip', NOW, late)).toEqual({ fire: false, next: NOW + 11 * 60_000 });
    expect(decide(plan, 'catch-up-once', NOW, late)).toEqual({ fire: true, next: NOW + 11 * 60_000 });
  });
});

describe('repeated plans', () => {
  it('never drift, never fire twice for one due time, and leave none out that is not missed', () => {
    const lateness = array(integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 30 });
    check(
      property(
        integer({ min: 1_000, max: 90_000 }),
        lateness,
        constantFrom('skip' as const, 'catch-up-once' as const),
        (every, delays, missed) => {
          const plan = planOf({ every }, NOW);
          const fired: number[] = [];
          let due: number | null = firstDue(plan, NOW);
          let now = NOW;
          for (const delay of delays) {
            if (due === null) throw new Error('a repeated plan has no end');
            now = Math.max(now, due) + delay;
            const decision = decide(plan, missed, due, now);
            if (decision.fire) fired.push(due);
            // What the plan is by its definition, found by counting.
            const wanted: boolean = due + every > now || missed === 'catch-up-once';
            expect(decision.fire).toBe(wanted);
            expect(decision.next).toBeGreaterThan(Math.max(due, due + every > now ? due : now));
            expect(((decision.next as number) - NOW) % every).toBe(0);
            expect((decision.next as number) - every).toBeLessThanOrEqual(Math.max(now, due));
            due = decision.next;
          }
          expect(new Set(fired).size).toBe(fired.length);
        },
      ),
    );
  });
});
