import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryStore } from '../memory/index.js';
import { message } from '../message/message.js';
import { noFaults } from '../ports/fault-points.js';
import { systemClock } from '../ports/system-clock.js';
import type { ClaimedWork } from '../ports/records.js';
import type { MessageContext } from './message-context.js';
import { Addressing, type MessageWork } from './outgoing.js';
import { Participant } from './participant.js';
import { ReplyAddressing } from './request/reply-work.js';
import { Routes } from './routes.js';

class Ping extends message('ping', z.object({})) {}

const payload: MessageWork = {
  kind: 'message',
  envelope: {
    id: 'm1',
    name: 'ping',
    version: 1,
    tenant: 't',
    correlationId: 'm1',
    causationId: null,
    sentAt: 0,
    headers: {},
    body: {},
  },
};
const work: ClaimedWork = {
  tenant: 't',
  destination: 'handler:p',
  id: 'm1',
  lane: null,
  payload: JSON.stringify(payload),
  delayMs: 0,
  attempts: 1,
};

function participant(handle: (ctx: MessageContext<Ping>) => unknown): Participant {
  const ports = {
    store: memoryStore(),
    clock: systemClock,
    faults: noFaults,
    addressing: new Addressing(
      new Routes(),
      () => 0,
      1_000,
      () => {},
      new ReplyAddressing('node', () => 0, 1_000),
    ),
    handlerTimeoutMs: 5_000,
    committed: () => {},
  };
  return new Participant({ message: Ping, name: 'p', handle }, ports);
}

describe('Participant', () => {
  it('refuses a verb after its handler has failed, as after one that has succeeded', async () => {
    let kept: MessageContext<Ping> | undefined;
    const failing = participant((ctx) => {
      kept = ctx;
      throw new Error('no');
    });
    await expect(failing.consume(work)).rejects.toThrow('no');
    expect(() => kept?.publish(new Ping({}))).toThrow(/after its handler had settled/);

    await expect(participant((ctx) => void (kept = ctx)).consume(work)).resolves.toBe('consumed');
    expect(() => kept?.publish(new Ping({}))).toThrow(/after its handler had settled/);
  });
});
