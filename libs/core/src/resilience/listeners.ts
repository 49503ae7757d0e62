/**
 * Tells a listener. What it throws must neither break the call that is being protected nor vanish: it is thrown again in a microtask
 * of its own, as `EventTarget` does, and reaches the process as an uncaught error.
 */
export function notify<E>(listener: ((event: E) => void) | undefined, event: E): void {
  if (listener === undefined) return;
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
