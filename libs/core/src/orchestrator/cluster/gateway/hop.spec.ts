import { describe, expect, it } from 'vitest';
import type { TransportSeat } from '../../../ports/transport.js';
import { Hop } from './hop.js';

/** A place whose lane has room when the test says so, and a hop over it of which so many bytes may wait. */
function hopOf(maxBytes: number) {
  const sent: string[] = [];
  const failed: string[] = [];
  const waiting: { readonly go: () => void; readonly fail: (error: Error) => void }[] = [];
  const lane = { hasRoom: true };
  const seat = {
    trySend(_to: unknown, frame: Uint8Array): boolean {
      if (lane.hasRoom) sent.push(textOf(frame));
      return lane.hasRoom;
    },
    send: (_to: unknown, frame: Uint8Array) =>
      new Promise<void>((resolve, fail) => {
        const go = (): void => {
          sent.push(textOf(frame));
          resolve();
        };
        waiting.push({ go, fail });
      }),
  };
  const to = { name: 'there', incarnation: '1' };
  const hop = new Hop(seat as unknown as TransportSeat, to, maxBytes, (frame) => failed.push(textOf(frame)));
  return { hop, lane, sent, failed, waiting };
}

const textOf = (frame: Uint8Array): string => new TextDecoder().decode(frame);
const frame = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is ready to go on has gone on. */
async function settled(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await Promise.resolve();
}

describe('frames that find no room at a gateway', () => {
  it('are followed by what comes behind them, also where room comes in between', async () => {
    const { hop, lane, sent, waiting } = hopOf(100);
    void hop.put(frame('1'));
    lane.hasRoom = false;
    for (const text of ['2', '3']) void hop.put(frame(text));
    lane.hasRoom = true;
    // The transport has taken the second one, and says so in a moment.
    waiting[0]?.go();
    void hop.put(frame('4'));
    await settled();
    for (const next of [1, 2]) {
      waiting[next]?.go();
      await settled();
    }
    void hop.put(frame('5'));
    expect(sent).toEqual(['1', '2', '3', '4', '5']);
    expect(hop.bytes).toBe(0);
  });

  it('hold their sender from the byte on that is too many until it is not any more', async () => {
    const { hop, lane, waiting } = hopOf(4);
    lane.hasRoom = false;
    expect([hop.put(frame('12')), hop.put(frame('34'))]).toEqual([undefined, undefined]);
    const held = hop.put(frame('5'));
    expect(held).toBeInstanceOf(Promise);
    expect(hop.put(frame('6'))).toBe(held);
    let isHeld = true;
    void held?.then(() => (isHeld = false));
    await settled();
    expect([isHeld, hop.bytes]).toEqual([true, 6]);
    waiting[0]?.go();
    await settled();
    expect([isHeld, hop.bytes]).toEqual([false, 4]);
  });

  it('are told one by one where they can’t be sent, and those behind them go on', async () => {
    const { hop, lane, sent, failed, waiting } = hopOf(100);
    lane.hasRoom = false;
    for (const text of ['1', '2']) void hop.put(frame(text));
    waiting[0]?.fail(new Error('too large'));
    await settled();
    waiting[1]?.go();
    await settled();
    expect([failed, sent]).toEqual([['1'], ['2']]);
  });

  it('let their sender go where the process they are for is gone', async () => {
    const { hop, lane, failed, waiting } = hopOf(1);
    lane.hasRoom = false;
    const held = hop.put(frame('12'));
    hop.close();
    waiting[0]?.fail(new Error('gone'));
    await held;
    await settled();
    expect([hop.bytes, failed, hop.put(frame('3'))]).toEqual([0, [], undefined]);
  });
});
