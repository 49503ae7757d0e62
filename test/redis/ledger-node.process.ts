import { Redis } from 'ioredis';
import { ledgerNode, type NodeSettings } from './durable-support.js';

/** A node in a process of its own: says when it takes part, and ends by a signal. */
const settings = JSON.parse(process.argv[2] ?? '{}') as NodeSettings & { readonly url: string };
const redis = new Redis(settings.url);
redis.on('error', () => undefined);
const machines = await ledgerNode(redis, settings);
process.on('message', (message) => {
  if (message === 'leave') void machines.close().then(() => process.exit(0));
});
process.send?.('ready');
