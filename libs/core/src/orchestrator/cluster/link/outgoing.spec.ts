import { expect, it } from 'vitest';
import type { Endpoint } from '../../../ports/transport.js';
import { clusterLimits } from '../cluster-options.js';
import { RemoteMachine } from '../remote/remote-machine.js';
import { EVENT, HELLO, TARGET } from '../wire/format.js';
import { FrameReader } from '../wire/frame-reader.js';
import { FrameMemory } from './frame-memory.js';
import type { LinkContext } from './link-context.js';
import { Outgoing } from './outgoing.js';

/** A transport whose lanes are full until they are opened, one for each peer. */
class Lanes {
  readonly maxFrameBytes = 1_048_576;
  readonly frames: Uint8Array[] = [];
  private readonly waiting: (() => void)[] = [];
  isOpen = false;

  trySend(_to: Endpoint, frame: Uint8Array): boolean {
    if (this.isOpen) this.frames.push(frame.slice());
    return this.isOpen;
  }

  send(_to: Endpoint, frame: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(() => {
        this.frames.push(frame.slice());
        resolve();
      });
    });
  }

  async open(): Promise<void> {
    this.isOpen = true;
    for (const go of this.waiting.splice(0)) go();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

function stage() {
  const lanes = new Lanes();
  const tasks: (() => void)[] = [];
  const context: LinkContext = {
    seat: lanes,
    scheduler: { soon: (task) => void tasks.push(task), nextTurn: (task) => void tasks.push(task) },
    limits: clusterLimits({}),
    group: 'here',
    memory: new FrameMemory(),
    probes: undefined,
    waiting: 0,
    assertFits: () => undefined,
    linkClosed: () => undefined,
  };
  const linkTo = (name: string): Outgoing => new Outgoing(context, { name, incarnation: name });
  const flush = (): void => {
    for (const task of tasks.splice(0)) task();
  };
  return { lanes, linkTo, flush };
}

const courier = { address: 'there', accepted() {}, ended() {}, replied() {} };

/** Sends texts to one machine. */
function sends(link: Outgoing, texts: readonly string[]): void {
  const target = new RemoteMachine({ cluster: 'c' } as never, 'there', 'one');
  for (const text of texts)
    expect(link.tryEvent(target, JSON.stringify({ type: text }), courier, { type: text })).toBe(true);
}

/** The types of all events in a frame. */
function typesIn(frame: Uint8Array): string[] {
  const reader = new FrameReader(frame);
  const types: string[] = [];
  while (!reader.isAtEnd) {
    const kind = reader.byte();
    if (kind === TARGET || kind === EVENT) reader.number();
    if (kind === HELLO || kind === TARGET) reader.payload();
    else types.push((reader.payload() as { type: string }).type);
  }
  return types;
}

it('What waits for room goes in frames no larger than those that leave at once', async () => {
  const { lanes, linkTo, flush } = stage();
  const link = linkTo('a');
  const texts = Array.from({ length: 40 }, (_, at) => `${at}:${'x'.repeat(5_000)}`);
  sends(link, texts);
  flush();
  await lanes.open();
  expect(lanes.frames.flatMap(typesIn)).toEqual(texts);
  // 16 384 characters are worth a frame: the one that comes above it is the last of it.
  expect(Math.max(...lanes.frames.map(({ length }) => length))).toBeLessThan(16_384 + 5_200);
  expect(lanes.frames.length).toBeGreaterThanOrEqual(10);
});

it('A frame that waits for room stays as it was written, whatever other links write meanwhile', async () => {
  const { lanes, linkTo, flush } = stage();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const letters = ['y', '€'];
  const text = (name: string, at: number): string =>
    `${name}${at}:${(letters[at % 2] as string).repeat(40_000)}`;
  const links = names.map((name) => ({ name, link: linkTo(name) }));
  for (const at of [0, 1, 2]) {
    for (const { name, link } of links) {
      sends(link, [text(name, at)]);
      flush();
    }
  }
  await lanes.open();
  flush();
  const sent = names.flatMap((name) => [0, 1, 2].map((at) => text(name, at)));
  expect(lanes.frames.flatMap(typesIn).toSorted()).toEqual(sent.toSorted());
});
