import type { PurgeRequest } from '@nestjs-orchestrator/core/ports';
import { equal, has } from '../checks.js';
import {
  by,
  byId,
  byKey,
  commit,
  consume,
  entry,
  inbox,
  key,
  line,
  loadOne,
  ref,
  state,
  T0,
  work,
  workKey,
} from './fixtures.js';
import { about } from './scene.js';

const DAY = 86_400_000;
const ENDED = { next: state({ status: 'completed', ended: true }) } as const;

function request(now: number, fields: Partial<PurgeRequest> = {}): PurgeRequest {
  return { now, inboxMs: 7 * DAY, lettersMs: 30 * DAY, tombstonesMs: 90 * DAY, limit: 100, ...fields };
}

const NOTHING = { inbox: 0, consumed: 0, letters: 0, tombstones: 0, more: false };

export const purges = about('purges', {
  'forget the inbox of an instance 7 days after its end, and of no other': async ({ store }) => {
    await commit(store, entry(ref('alive'), 0, { inbox: inbox('m-1') }));
    await commit(store, entry(ref('ended'), 0, { inbox: inbox('m-1') }));
    await commit(store, entry(ref('ended'), 1, { ...ENDED, inbox: inbox('m-2') }), by('node-a', T0 + DAY));
    equal(await store.purge(request(T0 + 8 * DAY - 1)), NOTHING, 'a millisecond early');
    equal((await loadOne(store, byId(ref('ended'), 'm-1'))).seen?.outcome, 'applied', 'the row until then');
    equal(await store.purge(request(T0 + 8 * DAY)), { ...NOTHING, inbox: 2 }, 'in time');
    const { instance, seen } = await loadOne(store, byId(ref('ended'), 'm-1'));
    equal([instance?.version, seen], [2, null], 'the ended instance, and what it knows of the message');
    equal((await loadOne(store, byId(ref('alive'), 'm-1'))).seen?.outcome, 'applied', 'the living one');
    equal(await store.purge(request(T0 + 99 * DAY)), NOTHING, 'another time');
  },

  'keep the inbox of an instance that was taken up again, until it has ended anew': async ({ store }) => {
    const at = (day: number) => by('node-a', T0 + day * DAY);
    const next = state({ status: 'compensating' });
    await commit(store, entry(ref(), 0, { ...ENDED, inbox: inbox('m-1') }));
    await commit(store, entry(ref(), 1, { next, inbox: inbox('m-2') }), at(1));
    equal(await store.purge(request(T0 + 9 * DAY)), NOTHING, 'while it lives');
    await commit(store, entry(ref(), 2, { ...ENDED, inbox: inbox('m-3') }), at(9));
    equal(await store.purge(request(T0 + 16 * DAY)), { ...NOTHING, inbox: 3 }, 'when it has ended anew');
    await commit(store, entry(ref(), 3, { ...ENDED, inbox: inbox('late') }), at(17));
    equal(await store.purge(request(T0 + 17 * DAY)), { ...NOTHING, inbox: 1 }, 'what came late');
  },

  'keep the history of an instance whose inbox they forget': async ({ store }) => {
    const told = async () => (await store.history(ref())).map(({ kind, version }) => `${version} ${kind}`);
    const unseen = { ...ENDED, ifUnseen: true };
    await commit(store, entry(ref(), 0, { history: [line('created')] }));
    const inboxBefore = [inbox('m-1')];
    const history = [
      line('event'),
      line('transition', { messageId: 'm-2' }),
      line('undo-started', { messageId: 'm-2' }),
    ];
    await commit(store, entry(ref(), 1, { ...unseen, inboxBefore, inbox: inbox('m-2'), history }));
    const lines = ['1 created', '2 event', '2 transition', '2 undo-started'];
    equal(await told(), lines, 'the history before');
    equal(await store.purge(request(T0 + 7 * DAY)), { ...NOTHING, inbox: 2 }, 'what is forgotten');
    equal(await told(), lines, 'the history after');
  },

  'forget messages that were consumed as long ago': async ({ store }) => {
    const message = workKey(work('m-1'));
    await consume(store, message);
    equal(await store.purge(request(T0 + 7 * DAY - 1)), NOTHING, 'a millisecond early');
    equal(await consume(store, message), false, 'the message until then');
    equal(await store.purge(request(T0 + 7 * DAY)), { ...NOTHING, consumed: 1 }, 'in time');
  },

  'forget tombstones, and letters that were settled': async ({ store }) => {
    await commit(store, entry(ref(), 0, { keys: [key(), key('k-2')] }));
    await store.remove({ ref: ref(), expectedVersion: 1, archive: false, now: T0 });
    await store.enqueue([work('open'), work('settled')], by());
    for (const id of ['open', 'settled']) await store.buryWork(workKey(work(id)), 'broken', { now: T0 });
    const letter = (await store.deadLetters({})).find(({ id }) => id === 'settled');
    await store.settleDeadLetter({
      tenant: letter?.tenant ?? '',
      letter: letter?.letter ?? '',
      settlement: { verb: 'discarded', by: 'ada', reason: 'old' },
      work: null,
      now: T0,
    });
    equal(await store.purge(request(T0 + 30 * DAY - 1)), NOTHING, 'a millisecond early');
    equal(await store.purge(request(T0 + 30 * DAY)), { ...NOTHING, letters: 1 }, 'after 30 days');
    equal(
      (await store.deadLetters({})).map(({ id }) => id),
      ['open'],
      'the open letter',
    );
    equal((await loadOne(store, byKey(key()))).tombstone?.id, 'i-1', 'the tombstone until then');
    equal(await store.purge(request(T0 + 90 * DAY)), { ...NOTHING, tombstones: 2 }, 'after 90 days');
    equal((await loadOne(store, byKey(key()))).tombstone, null, 'the tombstone then');
  },

  'stop at their limit and say that there is more': async ({ store }) => {
    for (let n = 0; n < 5; n++) await consume(store, workKey(work(`m-${n}`)));
    const late = T0 + 8 * DAY;
    has(await store.purge(request(late, { limit: 3 })), { consumed: 3, more: true }, 'the first time');
    has(await store.purge(request(late, { limit: 3 })), { consumed: 2, more: false }, 'the second time');
  },
});
