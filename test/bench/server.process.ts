import { startServer } from '../../bench/saga/server.js';

/** Starts the server of the benchmark, tells where its database is, and then does nothing. */
const server = await startServer();
process.send?.(await server.database('idle'));
setInterval(() => undefined, 60_000);
