import type { Commit } from '@nestjs-orchestrator/core/ports';
import { expect, it } from 'vitest';
import { inRounds } from './rounds.js';

function entry(id: string, ...keys: readonly string[]): Commit {
  const ref = { tenant: 't', saga: 's', id };
  return { ref, keys: keys.map((value) => ({ name: 'k', value })), supersedes: null } as unknown as Commit;
}

function places(...commits: readonly Commit[]): readonly (readonly number[])[] {
  return inRounds(commits).map((round) => round.map(({ place }) => place));
}

it('entries that have nothing in common share a round', () => {
  expect(places(entry('a', 'x'), entry('b', 'y'), entry('c'))).toEqual([[0, 1, 2]]);
  expect(places()).toEqual([]);
});

it('entries of one instance or of one key come one after the other, in their order', () => {
  expect(places(entry('a', 'x'), entry('b', 'x'), entry('a'), entry('c'))).toEqual([
    [0, 3],
    [1, 2],
  ]);
  expect(places(entry('a', 'x'), entry('b', 'x', 'y'), entry('c', 'y'))).toEqual([[0], [1], [2]]);
});

it('a key and an instance of one name are two things', () => {
  expect(places(entry('x'), entry('a', 'x'))).toEqual([[0, 1]]);
});

it('who supersedes an instance comes after what takes that up again, also where their keys are others', () => {
  const heir = { ...entry('heir', 'x'), supersedes: 'old' };
  expect(places(entry('old', 'y'), heir, entry('other', 'z'))).toEqual([[0, 2], [1]]);
});
