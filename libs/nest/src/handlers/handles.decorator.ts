import type { MessageContext, MessageType } from '@nestjs-orchestrator/core';
import { assertInstanceMethod } from '../decorator-target.js';
import type { MethodDecoratorFor } from '../saga/saga-decorators.types.js';
import { writeHandles } from './handles.metadata.js';

/** Options of {@link Handles}. */
export interface HandlesOptions {
  /**
   * The handler's stable name: part of stored rows, so that messages written before a deployment find their handler after it. Default
   * `Class.method`; give one before you rename either.
   */
  readonly name?: string;
  /**
   * How many messages this handler takes on one node at the same time, for what it calls outside. Default: as many as the node has in work
   * (`concurrency` of forRoot). What has no room is left to other nodes.
   */
  readonly concurrency?: number;
}

/**
 * Makes a method of any provider the handler of a message. Its inbox row, its own writes through `ctx.manager` and its outgoing
 * messages are one commit; a message offered twice has one effect. Repeatable on one method, with names of their own.
 */
export function Handles<M extends MessageType>(
  message: M,
  options: HandlesOptions = {},
): MethodDecoratorFor<(ctx: MessageContext<InstanceType<M>>) => void | Promise<void>> {
  return (target, key) => {
    assertInstanceMethod(target, key, 'Handles');
    writeHandles(target.constructor, { key, message, name: options.name, concurrency: options.concurrency });
  };
}
