import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { message } from '../../message/message.js';
import { systemClock } from '../../ports/system-clock.js';
import type { ClaimedWork } from '../../ports/records.js';
import { ReplyTimeoutError } from './request-errors.js';
import { Requests, type Question } from './requests.js';

class Ask extends message('ask', z.object({})) {}
class Answer extends message('answer', z.object({ n: z.number() })) {}

const question: Question<typeof Answer> = {
  tenant: 't',
  id: 'q1',
  message: new Ask({}),
  reply: Answer,
  timeoutMs: 60_000,
  signal: undefined,
};

function replyOf(n: number): ClaimedWork {
  return {
    tenant: 't',
    destination: 'reply:node',
    id: 'q1',
    lane: null,
    payload: JSON.stringify({ kind: 'reply', name: 'answer', body: { n } }),
    delayMs: 0,
    attempts: 1,
    suspect: false,
  };
}

/** Lets everything go on that waits for nothing but promises. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('Requests', () => {
  it('asks the same again only when the row of its reply is gone, beside which no other would be written', async () => {
    const requests = new Requests(systemClock);
    const written: string[] = [];
    const first = requests.ask(question, async () => void written.push('first'));
    await turns();
    await requests.consume(replyOf(1));
    await expect(first).resolves.toMatchObject({ n: 1 });
    const second = requests.ask(question, async () => void written.push('second'));
    await turns();
    expect(written).toEqual(['first']);
    requests.gone(replyOf(1));
    await turns();
    expect(written).toEqual(['first', 'second']);
    await requests.consume(replyOf(2));
    await expect(second).resolves.toMatchObject({ n: 2 });
  });

  it('takes the reply that comes again for the answer to the same question', async () => {
    const requests = new Requests(systemClock);
    await requests.consume(replyOf(1));
    const asked = requests.ask(question, () => Promise.reject(new Error('not to be written')));
    await turns();
    await requests.consume(replyOf(1));
    await expect(asked).resolves.toMatchObject({ n: 1 });
  });

  it('waits for a row to go no longer than for a reply, and not at all for one that was given up', async () => {
    const requests = new Requests(systemClock);
    await requests.consume(replyOf(1));
    const short = requests.ask({ ...question, timeoutMs: 1 }, async () => {});
    await expect(short).rejects.toBeInstanceOf(ReplyTimeoutError);
    await requests.giveUp(replyOf(1));
    const asked = requests.ask(question, () => requests.consume(replyOf(2)));
    await expect(asked).resolves.toMatchObject({ n: 2 });
  });
});
