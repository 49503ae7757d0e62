import { describe, expect, it } from 'vitest';
import { message, MessageValidationError } from '../../message/message.js';
import { type } from '../../message/standard-schema.js';
import { defineSaga } from '../define-saga.js';
import { SagaEventUnknownError, SagaOtherBuildError } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import { orOtherBuilds } from './other-build.js';

class Known extends message('k.known', type<{ id: string }>(), { version: 2 }) {}

const saga = defineSaga({
  name: 'shelf',
  version: 1,
  data: type<{ id: string }>(),
  correlateBy: 'id',
  states: ['open'],
  ends: { closed: 'success' },
  events: [Known],
  patience: 100_000,
}) as unknown as AnySaga;

const unknown = new SagaEventUnknownError('shelf', 1, 'k.new');
const refused = new MessageValidationError('k.known', []);
const after = (waited: number, error: unknown = unknown, name = 'k.new', version = 1): unknown =>
  orOtherBuilds(saga, { name, version }, { since: 1_000, now: 1_000 + waited }, error);

describe('orOtherBuilds', () => {
  it('looks again less and less often, at last when patience is over', () => {
    const pauses = [0, 19_000, 40_000, 99_000].map((waited) => after(waited) as SagaOtherBuildError);
    expect(pauses.map(({ retryAfterMs }) => retryAfterMs)).toEqual([5_000, 5_000, 10_000, 1_000]);
    expect(pauses.every((error) => error instanceof SagaOtherBuildError && error.cause === unknown)).toBe(
      true,
    );
  });

  it.each([100_000, 200_000, -100_000, Number.NaN, Number.POSITIVE_INFINITY])(
    'says what is wrong with a message of %d ms ago, which is none to wait for',
    (waited) => expect(after(waited)).toBe(unknown),
  );

  it('leaves a body to a newer build only where one has written it', () => {
    expect(after(0, refused, 'k.known', 3)).toBeInstanceOf(SagaOtherBuildError);
    for (const version of [1, 2]) expect(after(0, refused, 'k.known', version)).toBe(refused);
  });

  it('leaves other errors as they are', () => {
    const error = new Error('no');
    expect(after(0, error)).toBe(error);
  });
});
