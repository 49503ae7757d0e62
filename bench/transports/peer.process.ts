// A receiving process, or thread: counts events, answers questions, and tells when it has counted enough.
import { parentPort } from 'node:worker_threads';
import { endsWithTheRun } from '../ending.js';
import { receiveAtMachine, receiveFrames } from './faces.js';
import { receiveAtHandlers } from './nest.js';
import { serveFrames } from './partitions.js';
import type { Item, PeerOrder } from './wire.js';

/** What it is told. */
export type Command =
  | { readonly expect: number }
  | { readonly idleMs: number }
  | { readonly event: Item }
  | { readonly question: Item };

/** What it tells. */
export type Report =
  | { readonly ready: true }
  | { readonly counted: number }
  | { readonly idleMicros: number }
  | { readonly answer: Item };

const order = JSON.parse(process.argv[2] ?? '{}') as PeerOrder;
const tell = (report: Report): void => {
  if (parentPort === null) process.send?.(report);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a worker thread
  else parentPort.postMessage(report);
};
let counted = 0;
let expected = Infinity;

const onEvent = (): void => {
  counted += 1;
  if (counted >= expected) report();
};

function report(): void {
  tell({ counted });
  counted = 0;
  expected = Infinity;
}

function onCommand(command: Command): void {
  if ('event' in command) onEvent();
  else if ('question' in command) tell({ answer: command.question });
  else if ('expect' in command) {
    expected = command.expect;
    if (counted >= expected) report();
  } else {
    const before = process.cpuUsage();
    setTimeout(() => {
      const { user, system } = process.cpuUsage(before);
      tell({ idleMicros: user + system });
    }, command.idleMs);
  }
}

if (parentPort === null) {
  process.on('message', onCommand);
  endsWithTheRun();
} else parentPort.on('message', onCommand);

const listen = {
  port: receiveFrames,
  partitions: serveFrames,
  orchestrator: receiveAtMachine,
  nest: receiveAtHandlers,
} as const;
if (order.face in listen) await listen[order.face as keyof typeof listen](order, { onEvent });
tell({ ready: true });
