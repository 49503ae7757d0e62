// A test run reduced to its Postgres: starts it, tells where it is, and waits to be ended.
import { startRunPostgres } from '../support/postgres.run.js';

const { url, folder, close } = await startRunPostgres();
process.on('message', () => void close().then(() => process.disconnect()));
process.send?.({ url, folder });
