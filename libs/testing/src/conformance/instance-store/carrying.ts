import type { Commit, CommitResult, InstanceStore, WorkKey } from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { handled } from '../gates.js';
import {
  by,
  byId,
  claimedIds,
  commit,
  consume,
  entry,
  inbox,
  LEASE_MS,
  loaded,
  loadOne,
  ref,
  T0,
  tryCommit,
  work,
  workKey,
} from './fixtures.js';
import { about, type Draft } from './scene.js';

const MESSAGE: WorkKey = workKey(work('m-1'));
const LEASE_OVER = T0 + LEASE_MS;

/** A commit that handles the answer to a message. */
function carrying(id: string, version: number, message = MESSAGE, answer = 'answer'): Commit {
  return entry(ref(id), version, {
    inbox: inbox(answer),
    ifUnseen: true,
    work: [work(`effect of ${id}`)],
    done: [message],
    consumed: [{ message, outcome: 'handled' }],
  });
}

function outcomes(results: readonly (CommitResult | Error)[]): readonly string[] {
  return results.map((result) => (result instanceof Error ? String(result) : result.outcome));
}

async function withInstances(store: InstanceStore, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await commit(store, entry(ref(id), 0));
}

/** Plays only on stores that say that they do it. */
function whereItIsNoted(play: Draft['play']): Draft['play'] {
  return async (scene) => {
    if (scene.store.notesConsumed === true) await play(scene);
  };
}

export const carriers = about('commits that note messages', {
  'consume them and remove their rows': whereItIsNoted(async ({ store }) => {
    await withInstances(store, 'i-1');
    await store.enqueue([work('m-1'), work('other')], by());
    await commit(store, carrying('i-1', 1));
    equal(await store.consumed([MESSAGE]), ['handled'], 'what became of the message');
    equal(await consume(store, MESSAGE), false, 'the answer to a later consumer');
    equal(await claimedIds(store, 'node-b', LEASE_OVER), ['other', 'effect of i-1'], 'the work that is left');
  }),

  'lose if one was consumed before, and write nothing': whereItIsNoted(async ({ store }) => {
    await withInstances(store, 'i-1');
    await store.enqueue([work('m-1')], by());
    await consume(store, MESSAGE);
    equal((await tryCommit(store, carrying('i-1', 1))).outcome, 'conflict', 'the outcome');
    equal((await loaded(store, byId(ref('i-1')))).version, 1, 'the version');
    equal((await loadOne(store, byId(ref('i-1'), 'answer'))).seen, null, 'the answer');
    equal(await claimedIds(store, 'node-b', LEASE_OVER), ['m-1'], 'the work that is left');
  }),

  'of several, of which one was consumed before, consume none': whereItIsNoted(async ({ store }) => {
    await withInstances(store, 'i-1');
    await consume(store, MESSAGE);
    const fresh = workKey(work('m-2'));
    const consumed = [fresh, MESSAGE].map((message) => ({ message, outcome: 'handled' }));
    const both = { ...carrying('i-1', 1, fresh), consumed };
    equal((await tryCommit(store, both)).outcome, 'conflict', 'the outcome');
    equal(await store.consumed([fresh]), [null], 'what became of the other message');
    equal((await tryCommit(store, carrying('i-1', 1, fresh))).outcome, 'committed', 'that one alone');
  }),

  'lose to a transaction that is about to consume the message': whereItIsNoted(async ({ store, second }) => {
    await withInstances(second, 'i-1');
    const racing = await store.transaction(
      async (tx) => {
        equal(await tx.consume(MESSAGE, 'handled'), true, 'the answer to the transaction');
        const commits = handled(tryCommit(second, carrying('i-1', 1)));
        // A store that does not wait has answered by then.
        for (let turns = 0; turns < 2; turns += 1) await second.ping();
        return { commits };
      },
      { now: T0 },
    );
    equal((await racing.commits).outcome, 'conflict', 'the outcome');
  }),

  'that lose their race consume nothing': whereItIsNoted(async ({ store }) => {
    await withInstances(store, 'i-1');
    await commit(store, entry(ref('i-1'), 1, { inbox: inbox('answer') }));
    for (const version of [1, 2])
      equal((await tryCommit(store, carrying('i-1', version))).outcome, 'conflict', 'the outcome');
    equal(await store.consumed([MESSAGE]), [null], 'what became of the message');
  }),

  'decide each entry alone, and one message once': whereItIsNoted(async ({ store }) => {
    await withInstances(store, 'i-1', 'i-2', 'i-3', 'i-4');
    const [one, two] = [workKey(work('m-2')), workKey(work('m-3'))];
    await consume(store, one);
    const batch = [
      carrying('i-1', 1, one),
      carrying('i-2', 1, two),
      carrying('i-3', 1, two),
      entry(ref('i-4'), 1),
    ];
    equal(
      outcomes(await store.commit(batch, by())),
      ['conflict', 'committed', 'conflict', 'committed'],
      'the outcomes',
    );
  }),

  'of one message, on several nodes and beside a consumer, win once': whereItIsNoted(
    async ({ store, second, rounds }) => {
      await withInstances(store, 'i-1', 'i-2');
      const versions = { 'i-1': 1, 'i-2': 1 };
      for (let round = 1; round <= rounds; round += 1) {
        const message = workKey(work(`m-${round}`));
        await store.enqueue([work(`m-${round}`)], by());
        const offer = (id: 'i-1' | 'i-2') => carrying(id, versions[id], message, `answer ${round}`);
        const [first, other, [finished]] = await Promise.all([
          tryCommit(store, offer('i-1')),
          tryCommit(second, offer('i-2')),
          second.finish([{ message, outcome: 'finished', work: [] }], by('node-b')),
        ]);
        if (first.outcome === 'committed') versions['i-1'] += 1;
        if (other.outcome === 'committed') versions['i-2'] += 1;
        const wins = [first.outcome, other.outcome, finished instanceof Error ? 'error' : finished?.outcome];
        equal(
          wins.filter((outcome) => outcome === 'committed' || outcome === 'finished').length,
          1,
          `winners of ${wins.join(', ')}`,
        );
      }
    },
  ),
});
