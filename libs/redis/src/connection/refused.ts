import { StoreServerError } from '../errors.js';

/** What a server answers whom it does not let in. */
const NOT_LET_IN = /^(?:WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password)\b/;
/** And whom it lets in, and does not let do what is needed. */
const NOT_ALLOWED = /^NOPERM\b/;
/** Node's and OpenSSL's codes for a certificate that does not convince. */
const NOT_TRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_\w+|HOSTNAME_MISMATCH|INVALID_CA)$/;
/** The other side does not speak TLS, or not the same. */
const NO_TLS = /^(?:ERR_SSL_\w+|EPROTO)$/;

/** The error as one that names what to change, where trying again will not help: the server, or its certificate, was found and does not fit the client. */
export function refusal(error: unknown): StoreServerError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '' } = error as { readonly code?: unknown };
  const text = error.message;
  const options = { cause: error };
  if (NOT_LET_IN.test(text)) {
    return new StoreServerError(
      `Redis does not let the client in (${text}). Give it user and password of the server.`,
      options,
    );
  }
  if (NOT_ALLOWED.test(text)) {
    return new StoreServerError(
      `The user of the Redis client may not do what is needed (${text}). Allow it by \`ACL SETUSER\`; the guide of Redis has the rules.`,
      options,
    );
  }
  if (typeof code !== 'string') return undefined;
  if (NOT_TRUSTED.test(code)) {
    return new StoreServerError(
      `The certificate of Redis is not trusted (${code}: ${text}). Give the client whoever signed it as \`tls: { ca }\`, and the name that stands in it as \`tls: { servername }\`.`,
      options,
    );
  }
  if (!NO_TLS.test(code)) return undefined;
  return new StoreServerError(
    `Redis and the client don't agree on TLS (${code}). Is it the server's TLS port, and does the client need a certificate?`,
    options,
  );
}
