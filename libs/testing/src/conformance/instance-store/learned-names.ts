import type { InstanceStore, SagaName } from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { SAGA } from './fixtures.js';
import { about } from './scene.js';

function named(name: string, fields: Partial<SagaName> = {}): SagaName {
  return { saga: SAGA, version: 1, kind: 'state', name, ...fields };
}

async function learned(store: InstanceStore, names: readonly SagaName[]): Promise<readonly string[]> {
  const found = await store.learnNames(names);
  return found.map(({ saga, version, kind, name }) => `${saga} v${version} ${kind} ${name}`).toSorted();
}

export const learnedNames = about('names of sagas', {
  'are answered with all that was taken down of the same sagas': async ({ store, second }) => {
    equal(await learned(store, [named('a/b c'), named('a/b c')]), [`${SAGA} v1 state a/b c`], 'the first');
    await learned(store, [named('x', { saga: 'other' })]);
    const more = [
      named('a/b c', { version: 2 }),
      named('r', { kind: 'compensation' }),
      named('t', { kind: 'timer' }),
    ];
    equal(
      await learned(second, more),
      [`${SAGA} v1 compensation r`, `${SAGA} v1 state a/b c`, `${SAGA} v1 timer t`, `${SAGA} v2 state a/b c`],
      'what the second one is told',
    );
    equal(await learned(store, []), [], 'what is told of no saga');
  },

  'can be taken down by several at once': async ({ store, second, rounds }) => {
    for (let round = 0; round < rounds; round++) {
      const names = ['a', 'b', 'c', 'd'].map((name) => named(`${name}${round}`));
      await Promise.all([learned(store, names), learned(second, names.toReversed())]);
    }
    equal((await learned(store, [named('a0')])).length, rounds * 4, 'how many there are');
  },
});
