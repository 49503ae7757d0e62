export { StoreDataSourceError } from './errors.js';
export { migrate } from './migrations/migrate.js';
export type { TypeormStoreOptions } from './options.js';
export { typeormStore } from './typeorm-store.js';
