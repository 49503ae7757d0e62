export {
  EmbeddedPostgresError,
  isEmbeddedPostgresError,
  type EmbeddedPostgresErrorCode,
  type EmbeddedPostgresErrorFields,
} from './errors.js';
export type { EmbeddedPostgresOptions } from './options.js';
export { startEmbeddedPostgres, type EmbeddedPostgres } from './start.js';
