import { expect, it } from 'vitest';
import { StoreServerError } from '../errors.js';
import { refusal } from './refused.js';

const coded = (code: string): Error => Object.assign(new Error('as OpenSSL says it'), { code });

it.each([
  [new Error('WRONGPASS invalid username-password pair or user is disabled.'), 'user and password'],
  [new Error('NOAUTH Authentication required.'), 'user and password'],
  [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'tls: { ca }'],
  [coded('CERT_HAS_EXPIRED'), 'CERT_HAS_EXPIRED'],
  [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls: { servername }'],
  [coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'does the client need a certificate'],
])('says what to change: %s', (error, words) => {
  const found = refusal(error);
  expect(found).toBeInstanceOf(StoreServerError);
  expect(found).toMatchObject({ cause: error });
  expect(found?.message).toContain(words);
});

it('has nothing to say about a server that is away, or about anything else', () => {
  expect(refusal(coded('ECONNREFUSED'))).toBeUndefined();
  expect(refusal(new Error('LOADING Redis is loading the dataset in memory'))).toBeUndefined();
  expect(refusal('a text')).toBeUndefined();
});
