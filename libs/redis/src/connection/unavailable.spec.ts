import { OrchestratorError, StoreUnavailableError } from '@nestjs-orchestrator/core';
import { expect, it } from 'vitest';
import { mapped } from './unavailable.js';

it.each([
  Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' }),
  Object.assign(new Error('Reached the max retries per request limit'), {
    name: 'MaxRetriesPerRequestError',
  }),
  Object.assign(new Error('Failed to refresh slots cache.'), { name: 'ClusterAllFailedError' }),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error('Connection is closed.'),
  Object.assign(new Error('Cannot call write after a stream was destroyed'), {
    code: 'ERR_STREAM_DESTROYED',
  }),
  new Error('All sentinels are unreachable. Retrying from scratch after 10ms.'),
  new Error('LOADING Redis is loading the dataset in memory'),
  new Error("OOM command not allowed when used memory > 'maxmemory'."),
  new Error("READONLY You can't write against a read only replica."),
  new Error('CLUSTERDOWN The cluster is down'),
  new Error('MOVED 9015 127.0.0.1:7002'),
  new Error('ASK 9015 127.0.0.1:7002'),
  new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]),
])('says that the server is away: %s', (error) => {
  const found = mapped(error);
  expect(found).toBeInstanceOf(StoreUnavailableError);
  expect(found).toMatchObject({ retryable: true, cause: error });
});

it('leaves alone what says something else', () => {
  const errors = [new Error('WRONGTYPE Operation against a key'), new OrchestratorErrorOfOurs('ours')];
  expect(errors.map(mapped)).toEqual(errors);
  expect(mapped('a text').message).toBe('a text');
});

class OrchestratorErrorOfOurs extends OrchestratorError {
  readonly code = 'OURS';
}
