import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  checkMessage,
  message,
  messageTypeOf,
  MessageValidationError,
  NotAMessageError,
  parseMessage,
} from './message.js';

class Placed extends message(
  'order.placed',
  z.object({ orderId: z.string(), items: z.array(z.object({ sku: z.string() })) }),
  { version: 2 },
) {}

describe('message', () => {
  it('makes classes whose instances are bodies', () => {
    const placed = new Placed({ orderId: 'o1', items: [] });
    expect(Object.entries(placed)).toEqual([
      ['orderId', 'o1'],
      ['items', []],
    ]);
    const { messageName, version } = messageTypeOf(placed);
    expect([messageName, version]).toEqual(['order.placed', 2]);
  });

  it('is known by its declared name, not by the name of its class', () => {
    const Renamed = { Other: class extends message('order.placed.again', z.object({})) {} }.Other;
    expect(messageTypeOf(new Renamed({})).messageName).toBe('order.placed.again');
  });

  it.each(['', 'two words', 'a*', 'a#b', '$x', 'x'.repeat(201)])('refuses the name %j', (name) => {
    expect(() => message(name, z.object({}))).toThrow(TypeError);
  });

  it('takes no prototype from a body', () => {
    const body = JSON.parse('{"orderId":"o1","items":[],"__proto__":{"admin":true}}') as never;
    const placed = new Placed(body) as Placed & { admin?: boolean };
    expect(placed.admin).toBeUndefined();
    expect(placed).toBeInstanceOf(Placed);
  });

  it('parses a body, or says which fields are wrong', async () => {
    await expect(parseMessage(Placed, { orderId: 'o1', items: [{ sku: 'a' }] })).resolves.toBeInstanceOf(
      Placed,
    );
    const error: unknown = await parseMessage(Placed, { orderId: 1, items: [{}] }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MessageValidationError);
    expect((error as MessageValidationError).issues.map((issue) => issue.path)).toEqual([
      'orderId',
      'items[0].sku',
    ]);
  });

  it('checks what is sent on as well', async () => {
    await expect(checkMessage(new Placed({ orderId: 7 as never, items: [] }))).rejects.toThrow(
      MessageValidationError,
    );
  });

  it.each([[null], [{}], ['text'], [class {}]])('does not take %j for a message', (value) => {
    expect(() => messageTypeOf(value)).toThrow(NotAMessageError);
  });
});
