import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { workerThreads } from '@nestjs-orchestrator/transports';
import { checked } from '../checked-frames.js';

export const FRAMES = 20_000;

/** Sends numbered frames to 'reader', then stays. */
export async function play(memory: SharedArrayBuffer): Promise<void> {
  const seat = await workerThreads(memory).join(
    { cluster: 'threads', endpoint: 'sender', clock: systemClock, logger: silentLogger },
    { onFrame() {}, onPeer() {} },
  );
  await seat.claim('a machine', 'of a thread');
  const reader = (await seat.locate('reader'))?.endpoint;
  if (reader === undefined) throw new Error('There is no reader.');
  for (let number = 0; number < FRAMES; number += 1) await seat.send(reader, checked(number));
}
