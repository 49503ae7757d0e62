import type { CensusLine, InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { by, commit, entry, ref, SAGA, state, timer, work, workKey, T0 } from './fixtures.js';
import { about } from './scene.js';

async function lines(store: InstanceStore): Promise<readonly string[]> {
  return (await store.census()).map(shown).toSorted();
}

function shown(line: CensusLine): string {
  if (line.kind === 'timers') return `timers ${line.saga} ${line.name} ${line.count}`;
  if (line.kind === 'work') return `work ${line.destination} ${line.count}`;
  const of = `${line.saga} v${line.definitionVersion}`;
  if (line.kind === 'unreadable') return `unreadable ${of} ${line.count}`;
  if (line.kind === 'undo') return `undo ${of} ${line.name} ${line.count}`;
  return `instances ${of} ${line.state} ${line.status} ${line.count}`;
}

const step = (name: string, status: string) => ({
  no: 1,
  name,
  input: { text: '\u0000 \\u0000 \ud800' },
  status,
});

export const census = about('the census', {
  'counts nothing where nothing is': async ({ store }) => {
    equal(await store.census(), [], 'the lines');
  },

  'counts an instance whose undo steps are no list of steps as one that is, and unreadable; and all the others':
    async ({ store }) => {
      const spoilt = [
        'no JSON',
        '',
        '7',
        '{}',
        '[7]',
        '[{"status":"failed"}]',
        '[{"name":"refund"}]',
        '[null]',
      ];
      for (const [n, undo] of spoilt.entries())
        await commit(store, entry(ref(`x${n}`), 0, { next: state({ undo }) }));
      const undo = JSON.stringify([step('refund', 'running'), step('release', 'done')]);
      await commit(store, entry(ref('good'), 0, { next: state({ undo }) }));
      await commit(
        store,
        entry(ref('ended'), 0, { next: state({ undo: '7', status: 'completed', ended: true }) }),
      );
      const found = (await lines(store)).filter((line) => !line.startsWith('instances'));
      const of = `${SAGA} v${state().definitionVersion}`;
      equal(found, [`undo ${of} refund 1`, `unreadable ${of} ${spoilt.length}`], 'the lines of undo steps');
    },

  'counts living instances by saga, version, state and status, and their undo steps that are not done':
    async ({ store }) => {
      const undo = JSON.stringify([
        step('refund', 'recorded'),
        step('release', 'done'),
        step('release', 'running'),
        step('kept', 'kept'),
        step('skipped', 'skipped'),
        step('resolved', 'resolved'),
        step('recall', 'failed'),
      ]);
      await commit(store, entry(ref('a'), 0, { next: state({ undo }) }));
      await commit(store, entry(ref('b'), 0, { next: state({ undo }) }));
      await commit(
        store,
        entry(ref('c'), 0, { next: state({ definitionVersion: 2, state: 'x.y', status: 'held' }) }),
      );
      await commit(store, entry(ref('d'), 0, { next: state({ undo, status: 'completed', ended: true }) }));
      await commit(store, entry(ref('a', { saga: 'other', tenant: 'b' }), 0));
      equal(
        await lines(store),
        [
          `instances ${SAGA} v1 awaitingPayment running 2`,
          `instances ${SAGA} v2 x.y held 1`,
          'instances other v1 awaitingPayment running 1',
          `undo ${SAGA} v1 recall 2`,
          `undo ${SAGA} v1 refund 2`,
          `undo ${SAGA} v1 release 2`,
        ].toSorted(),
        'the lines',
      );
    },

  'counts timers by saga and name, and work by destination, but no dead row': async ({ store }) => {
    const timers = { arm: [timer('a'), timer('b/c')], disarm: [] };
    await commit(
      store,
      entry(ref('i-1'), 0, { timers, work: [work('w-1'), work('dead'), work('w-2', { delayMs: 9 })] }),
    );
    await commit(store, entry(ref('i-2'), 0, { timers: { arm: [timer('b/c', ref('i-2'))], disarm: [] } }));
    await store.buryWork(workKey(work('dead')), 'broken', { now: T0 });
    await store.enqueue([work('w-3', { destination: 'saga:x' })], by());
    equal(
      (await lines(store)).filter((line) => !line.startsWith('instances')),
      [
        'timers order a 1',
        'timers order b/c 2',
        `work ${work('w').destination} 2`,
        'work saga:x 1',
      ].toSorted(),
      'the lines',
    );
  },
});
