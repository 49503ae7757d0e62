import { expect, it } from 'vitest';
import { clientOptions } from './own-client.js';

it('names options as the pg driver does, and lets `extra` win', () => {
  const options = clientOptions({
    type: 'postgres',
    host: 'db',
    username: 'me',
    connectTimeoutMS: 500,
    applicationName: 'shop',
    extra: { user: 'other', statement_timeout: 1 },
  });
  expect(options).toMatchObject({
    host: 'db',
    user: 'other',
    connectionTimeoutMillis: 500,
    application_name: 'shop',
    statement_timeout: 1,
  });
});

it('listens to the master where there are replicas', () => {
  const master = { url: 'postgres://master/db' };
  const options = clientOptions({
    type: 'postgres',
    replication: { master, slaves: [{ url: 'postgres://replica/db' }] },
  });
  expect(options).toMatchObject({ connectionString: 'postgres://master/db' });
});
