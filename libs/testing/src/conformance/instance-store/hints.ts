import type { InstanceStore, WorkRecord } from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { arrives, gate } from '../gates.js';
import {
  by,
  commit,
  delivery,
  entry,
  key,
  parking,
  ref,
  state,
  T0,
  TENANT,
  work,
  workKey,
} from './fixtures.js';
import { about, type Scene } from './scene.js';

const AT = { now: T0 };

/** Does something of which every node must hear. */
async function heardOf({ store, second }: Scene, what: string, act: () => Promise<unknown>): Promise<void> {
  const hints = [store, second].map((node) => {
    const heard = gate();
    return { heard: heard.passed, stop: node.onWork(heard.open) };
  });
  await act();
  for (const { heard } of hints) await arrives(heard, `the hint of ${what}`);
  for (const { stop } of hints) stop();
}

/** Two rows of one lane, both leased to their writer: nobody has been told of them. */
async function lane(store: InstanceStore, name: string): Promise<WorkRecord> {
  const [first, behind] = [1, 2].map((n) => work(`${name}-${n}`, { lane: name })) as [WorkRecord, WorkRecord];
  equal(await store.enqueue([first, behind], by()), true, `whether ${name} is leased`);
  return first;
}

export const hints = about('hints', {
  'come to every node when a row goes behind which others stand in its lane': async (scene) => {
    const { store } = scene;
    const completed = await lane(store, 'completed');
    await heardOf(scene, 'a completed row', () => store.completeWork([workKey(completed)]));
    const consumed = await lane(store, 'consumed');
    await heardOf(scene, 'a commit', () => commit(store, entry(ref(), 0, { done: [workKey(consumed)] })));
    const finished = await lane(store, 'finished');
    const item = { message: workKey(finished), outcome: 'handled', work: [] };
    await heardOf(scene, 'a finished message', () => store.finish([item], by()));
    const parked = await lane(store, 'parked');
    const request = parking(key(), delivery(), [workKey(parked)]);
    await heardOf(scene, 'a parked message', () => store.park([request], AT));
    const handed = await lane(store, 'handed over');
    await heardOf(scene, 'a row that was handed over', () =>
      store.transaction((tx) => tx.handOver([workKey(handed)], [], by()), AT),
    );
  },

  'come to every node when a dead letter is discarded behind which others stand': async (scene) => {
    const { store } = scene;
    await store.buryWork(workKey(await lane(store, 'buried')), 'broken', AT);
    const [letter] = await store.deadLetters({ tenant: TENANT });
    const settlement = { verb: 'discarded', by: 'ann', reason: 'known' } as const;
    const asked = { tenant: TENANT, letter: letter?.letter ?? '', settlement, work: null, ...AT };
    await heardOf(scene, 'a discarded letter', () => store.settleDeadLetter(asked));
  },

  'come to every node when an instance is removed, which somebody may wait for': async (scene) => {
    const { store } = scene;
    for (const [id, archive] of [
      ['i-1', true],
      ['i-2', false],
    ] as const) {
      await commit(store, entry(ref(id), 0, { next: state({ status: 'completed', ended: true }) }));
      const removal = { ref: ref(id), expectedVersion: 1, archive, ...AT };
      await heardOf(scene, `a removed instance, archived: ${archive}`, () => store.remove(removal));
    }
  },

  'come to every node when work is given back, or is left to whoever has time': async (scene) => {
    const { store } = scene;
    const first = await lane(store, 'returned');
    await heardOf(scene, 'a row that was given back', () =>
      store.releaseWork(workKey(first), 0, 'later', AT),
    );
    const later = work('later', { delayMs: 1_000 });
    await heardOf(scene, 'delayed work', () => store.enqueue([later], by()));
    const behind = work('returned-3', { lane: 'returned' });
    await heardOf(scene, 'work behind that of others', () => store.enqueue([behind], by()));
    const delayed = entry(ref(), 0, { work: [work('effect', { delayMs: 1_000 })] });
    await heardOf(scene, 'delayed work of a commit', () => commit(store, delayed));
    const crowded = entry(ref(), 1, { work: [work('returned-4', { lane: 'returned' })] });
    await heardOf(scene, 'work of a commit behind that of others', () => commit(store, crowded));
    const answer = work('answer', { delayMs: 1_000 });
    const item = { message: workKey(work('m-1')), outcome: 'handled', work: [answer] };
    await heardOf(scene, 'delayed work of a consumer', () => store.finish([item], by()));
  },
});
