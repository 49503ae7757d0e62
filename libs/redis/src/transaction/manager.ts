import { StoreTransactionError } from '@nestjs-orchestrator/core';

/** What `manager` is on Redis: a token that `within()` knows. */
export interface RedisTransactionManager {
  readonly kind: 'redis transaction';
}

/** Names that somebody looks for who only wants to know what he has before him. */
const LOOKED_FOR: ReadonlySet<string> = new Set(['then', 'toJSON', 'constructor', 'asymmetricMatch']);

/** A manager that says what it can't do, where one of a database would be used. */
export function transactionManager(): RedisTransactionManager {
  return new Proxy<RedisTransactionManager>(Object.freeze({ kind: 'redis transaction' }), {
    get(target, name, receiver) {
      if (typeof name === 'symbol' || name in target || LOOKED_FOR.has(name)) {
        return Reflect.get(target, name, receiver) as unknown;
      }
      throw new StoreTransactionError(
        `\`manager.${name}\`: a transaction on Redis has no manager for writes of your own. Record what is to be done with \`ctx.send\` or \`ctx.publish\`, make your own write ` +
          'idempotent by `ctx.messageId`, or keep this participant on a store with transactions.',
      );
    },
  });
}
