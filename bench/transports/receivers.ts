import { fork } from 'node:child_process';
import { once, type EventEmitter } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Command, Report } from './peer.process.js';
import type { Item, PeerOrder, Sender } from './wire.js';

const RUN = join(process.cwd(), 'test/support/run-typescript.mjs');
const PEER = join(process.cwd(), 'bench/transports/peer.process.ts');

/** A process, or thread, that receives. */
export class Receiver {
  private readonly answers = new Map<number, (item: Item) => void>();
  private constructor(
    private readonly emitter: EventEmitter,
    private readonly post: (command: Command) => void,
    private readonly end: () => unknown,
  ) {
    emitter.on('message', (report: Report) => {
      if (!('answer' in report)) return;
      this.answers.get(report.answer.number)?.(report.answer);
      this.answers.delete(report.answer.number);
    });
  }

  static async start(order: PeerOrder): Promise<Receiver> {
    const argument = JSON.stringify(order);
    const receiver = order.face === 'message-port' ? Receiver.thread(argument) : Receiver.process(argument);
    const ended = new AbortController();
    const isReady = receiver.report((report): report is { ready: true } => 'ready' in report);
    const isGone = once(receiver.emitter, 'exit', { signal: ended.signal }).then(() => {
      throw new Error(`a receiver of ${order.face} over ${order.carrier} ended before it was ready`);
    });
    await Promise.race([isReady, isGone]);
    // Nobody listens to its end from here on.
    isGone.catch(() => undefined);
    ended.abort();
    return receiver;
  }

  private static thread(argument: string): Receiver {
    const worker = new Worker(RUN, { argv: [PEER, argument] });
    return new Receiver(
      worker,
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, not for threads
      (command) => worker.postMessage(command),
      () => worker.terminate(),
    );
  }

  private static process(argument: string): Receiver {
    const child = fork(RUN, [PEER, argument]);
    // From the start: a signal to the whole group has ended it already when it is to be stopped.
    const exit = new Promise((resolve) => child.once('exit', resolve));
    const end = async (): Promise<void> => {
      child.kill('SIGKILL');
      await exit;
    };
    return new Receiver(child, (command) => void child.send(command), end);
  }

  command(command: Command): void {
    this.post(command);
  }

  report<R extends Report>(fits: (report: Report) => report is R): Promise<R> {
    return new Promise((resolve) => {
      const onMessage = (report: Report): void => {
        if (!fits(report)) return;
        this.emitter.off('message', onMessage);
        resolve(report);
      };
      this.emitter.on('message', onMessage);
    });
  }

  ask(item: Item): Promise<Item> {
    return new Promise((resolve) => {
      this.answers.set(item.number, resolve);
      this.post({ question: item });
    });
  }

  async stop(): Promise<void> {
    await this.end();
  }
}

/** Node's own: messages to a child process, or through a port to a thread. */
export function sendMessages(receivers: readonly Receiver[]): Sender {
  const at = (index: number): Receiver => receivers[index] as Receiver;
  return {
    emit: (index, item) => at(index).command({ event: item }),
    ask: (index, item) => at(index).ask(item),
    close: async () => undefined,
  };
}
