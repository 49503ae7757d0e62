import type { Scheduler } from './scheduler.js';

type Turn = (task: () => void) => void;

/** Node, Bun and Deno have `setImmediate`; elsewhere a message to oneself is the next turn. */
function turnOfRuntime(): Turn {
  const { setImmediate } = globalThis as { setImmediate?: Turn };
  if (typeof setImmediate === 'function') return (task) => setImmediate(task);
  const { port1, port2 } = new MessageChannel();
  const tasks: (() => void)[] = [];
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the assignment opens the port
  (port1 as unknown as { onmessage: () => void }).onmessage = () => tasks.shift()?.();
  return (task) => {
    tasks.push(task);
    port2.postMessage(null);
  };
}

let turn: Turn | undefined;

const settled = Promise.resolve();

/** By a promise: `queueMicrotask` makes a resource to be traced for each task, which takes three times as long in Node. What is thrown is an uncaught error all the same. */
function soon(task: () => void): void {
  void settled.then(() => {
    try {
      task();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  });
}

/** The runtime's own turns. A turn that is waited for keeps the process alive, since it always comes. */
export const systemScheduler: Scheduler = {
  soon,
  nextTurn: (task) => (turn ??= turnOfRuntime())(task),
};
