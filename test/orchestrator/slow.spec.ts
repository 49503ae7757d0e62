import { globalOrchestrator } from '@nestjs-orchestrator/core';
import { assign, defineMachine } from '@nestjs-orchestrator/statechart';
import { describe, expect, it, onTestFinished } from 'vitest';
import { recordsOf } from './support.js';

describe('a step that holds the event loop', () => {
  /** A machine every function of which takes as long as the test says. */
  async function slowStage(takes: Record<string, number>, flood = 0) {
    let now = 0;
    const clock = {
      now: () => now,
      monotonic: () => now,
      storeNow: () => null,
      schedule: () => ({ cancel() {} }),
    };
    const scheduler = { soon: queueMicrotask, nextTurn: (task: () => void) => void setImmediate(task) };
    // What slow means is left to the framework, as where nothing is said of it.
    const group = globalOrchestrator().createChannelGroup('slow', { clock, scheduler });
    onTestFinished(() => group.release());
    const slow = recordsOf(group, 'slow');
    const taking =
      <T>(name: string, result: T) =>
      (): T => {
        now += takes[name] ?? 0;
        return result;
      };
    const busy = defineMachine(
      {
        id: 'busy',
        initial: 'idle',
        context: taking('context', { count: 0 }) as never,
        states: {
          idle: {
            entry: 'enter',
            exit: 'leave',
            on: {
              GO: { target: 'working', guard: 'isReady', actions: 'act' },
              INLINE: { target: 'working', guard: taking('inline', true) as never },
              COUNT: { actions: 'count' },
            },
          },
          working: {
            invoke: { src: 'work', input: taking('input', 1) as never },
            after: { patience: 'idle' },
            on: { BACK: 'idle' },
          },
        },
      },
      {
        actions: {
          count: assign(taking('count', { count: 1 })),
          enter: taking('enter', undefined),
          leave: taking('leave', undefined),
          act: taking('act', undefined),
        },
      },
    );
    const spawning = group
      .register(busy, {
        guards: { isReady: taking('isReady', true) },
        delays: { patience: taking('patience', 5_000) },
        activities: { work: taking('work', () => undefined) },
      })
      .spawn({ id: 'x' });
    const ref = await spawning;
    for (let at = 0; at < flood; at += 1) await ref.send({ type: 'COUNT' });
    return { ref, slow: () => slow.map(({ part, name, durationMs }) => [part, name, durationMs]) };
  }

  it.each([
    ['action', 'act', 'act'],
    ['action', 'enter', 'enter'],
    ['action', 'leave', 'leave'],
    ['guard', 'isReady', 'isReady'],
    ['expression', 'patience', 'busy.states.working.after.patience'],
    ['expression', 'input', 'busy.states.working.invoke.input'],
    ['expression', 'context', 'busy.context'],
    ['activity', 'work', 'work'],
  ])('%s %s is reported by name, and nothing else is', async (part, slowOne, name) => {
    const { ref, slow } = await slowStage({ [slowOne]: 25 });
    await ref.request({ type: 'GO' });
    expect(slow()).toEqual([[part, name, 25]]);
  });

  it.each([
    ['guard', 'inline', 'INLINE', 'busy.states.idle.on.INLINE.guard'],
    ['expression', 'count', 'COUNT', 'busy.states.idle.on.COUNT.actions[0]'],
  ] as const)('an inline %s is reported by its path', async (part, slowOne, type, name) => {
    const { ref, slow } = await slowStage({ [slowOne]: 25 });
    await ref.request({ type });
    expect(slow()).toEqual([[part, name, 25]]);
  });

  it('what takes no longer than slowStepMs is not', async () => {
    const { ref, slow } = await slowStage({ isReady: 10, act: 10, count: 9, work: 10 });
    for (const type of ['COUNT', 'GO'] as const) await ref.request({ type });
    expect(slow()).toEqual([]);
  });

  it('is found out in the middle of a flood, once its steps take long', async () => {
    const takes = { count: 0 };
    const { ref, slow } = await slowStage(takes, 400);
    takes.count = 25;
    const sent = Array.from({ length: 100 }, () => ref.send({ type: 'COUNT' }));
    await Promise.all(sent);
    await ref.request({ type: 'BACK' });
    expect(slow().length).toBeGreaterThan(60);
  });
});
