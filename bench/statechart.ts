import * as ours from '@nestjs-orchestrator/statechart';
import * as xstate from 'xstate';
import { compare, race, type Result, type Run } from './measure.js';
import { oursOf, ringOf, type Workload, workloads, xstateOf } from './statechart-machines.js';

/** The statechart engine beside `xstate`, in one run. */
export function* statechart(): Generator<Result> {
  for (const workload of workloads) yield* perEvent(workload);
  yield* bySize();
  yield defining();
  yield* resting();
}

function* perEvent(workload: Workload): Generator<Result> {
  const machine = oursOf(workload);
  const peer = xstateOf(workload);
  const { events } = workload;
  const actor = xstate.createActor(peer).start();
  const { mine, pure, sent } = race({
    mine(operations) {
      let { snapshot } = ours.initialTransition(machine);
      for (let at = 0; at < operations; at++) {
        ({ snapshot } = ours.transition(machine, snapshot, events[at % events.length] as ours.EventObject));
      }
    },
    pure(operations) {
      let [snapshot] = xstate.initialTransition(peer);
      for (let at = 0; at < operations; at++) {
        [snapshot] = xstate.transition(peer, snapshot, events[at % events.length] as never);
      }
    },
    sent(operations) {
      for (let at = 0; at < operations; at++) actor.send(events[at % events.length] as never);
    },
  });
  yield compare(`${workload.name}: transition`, mine, pure, 'xstate transition', 'events/s');
  yield compare(`${workload.name}: transition against send`, mine, sent, 'xstate actor.send', 'events/s');
}

const SIZES = [10, 100, 1_000, 10_000] as const;

/** Cost per event with 10 to 10 000 states, on a walk through ten of them; the peer is ourselves with 10. */
function* bySize(): Generator<Result> {
  const event = { type: 'NEXT' };
  const walks = SIZES.map((size): [string, Run] => {
    const machine = ours.defineMachine(ringOf(size));
    const { snapshot: start } = ours.initialTransition(machine);
    return [
      String(size),
      (operations) => {
        let snapshot = start;
        for (let at = 0; at < operations; at++) {
          if (at % 10 === 0) snapshot = start;
          ({ snapshot } = ours.transition(machine, snapshot, event));
        }
      },
    ];
  });
  const rates = race(Object.fromEntries([...walks, ['all', walkThroughAll()]]));
  for (const size of SIZES.slice(1)) {
    yield compare(`${size} states`, rates[size] ?? NaN, rates[10] ?? NaN, 'ours with 10 states', 'events/s');
  }
  yield compare(
    '10000 states, one after another',
    rates['all'] ?? NaN,
    rates[10] ?? NaN,
    'ours with 10 states',
    'events/s',
  );
}

/** Each event in another of 10 000 states: here the processor's caches are the limit. */
function walkThroughAll(): Run {
  const machine = ours.defineMachine(ringOf(10_000));
  let { snapshot } = ours.initialTransition(machine);
  for (let at = 0; at < 10_000; at++) ({ snapshot } = ours.transition(machine, snapshot, { type: 'NEXT' }));
  return (operations) => {
    for (let at = 0; at < operations; at++)
      ({ snapshot } = ours.transition(machine, snapshot, { type: 'NEXT' }));
  };
}

/** Time to define a machine of 1 000 states; the peer is the limit of 50 ms. */
function defining(): Result {
  const config = ringOf(1_000);
  const { define } = race({
    define(operations) {
      for (let at = 0; at < operations; at += 500) ours.defineMachine({ ...config });
    },
  });
  return compare('definition of 1 000 states', define / 500, 20, 'limit of 50 ms', 'definitions/s');
}

/** Bytes per resting instance beyond its context; the peers are XState's actor and the limit of 400 bytes. */
function* resting(): Generator<Result> {
  const [workload] = workloads as [Workload, ...Workload[]];
  const machine = oursOf(workload);
  const peer = xstateOf(workload);
  const context = { count: 0 };
  const mine = bytesEach(() => {
    const { snapshot } = ours.initialTransition(machine);
    return ours.transition(machine, ours.withContext(snapshot, context), { type: 'NEXT' }).snapshot;
  });
  const actor = bytesEach(() => xstate.createActor(peer).start());
  yield compare('bytes per resting instance', 1 / mine, 1 / actor, 'xstate actor', 'instances/byte');
  yield compare(
    'bytes per resting instance against limit',
    1 / mine,
    1 / 400,
    'limit of 400 B',
    'instances/byte',
  );
}

function bytesEach(make: () => unknown): number {
  const count = 10_000;
  const kept: unknown[] = Array.from({ length: count });
  make();
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < count; at++) kept[at] = make();
  global.gc?.();
  const bytes = (process.memoryUsage().heapUsed - before) / count;
  return kept.length === count ? bytes : NaN;
}
