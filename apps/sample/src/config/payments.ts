/** Where payment may run: in the process of the orders, or in one of its own that is reached so. */
export const PAYMENTS = ['in-process', 'named-pipe', 'shared-memory', 'redis-streams', 'rabbitmq'] as const;
