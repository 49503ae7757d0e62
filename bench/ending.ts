/** A signal that asks a process to end, and the exit code that tells of it. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const running = new Set<() => Promise<unknown>>();

/**
 * What stops a server of the run, as its own `finally` calls it: also when the run is asked to end before that. Servers are processes of their
 * own, and would outlive it.
 */
export function stoppedWithTheRun(stop: () => Promise<unknown>): () => Promise<void> {
  listen();
  // Once, whoever asks for it; and the end of the run waits for one that has begun.
  let stopped: Promise<unknown> | undefined;
  const stopOnce = (): Promise<unknown> => (stopped ??= stop());
  running.add(stopOnce);
  return async () => {
    try {
      await stopOnce();
    } finally {
      running.delete(stopOnce);
    }
  };
}

/**
 * For a process of the run, which the run ends. What a terminal tells goes to all processes at once; one that ends by itself then looks to the run like a
 * breakdown, if it learns of that before it has heard the signal itself.
 */
export function endsWithTheRun(): void {
  for (const signal of Object.keys(SIGNALS)) process.on(signal, () => undefined);
  // Nobody is left to measure anything.
  process.on('disconnect', () => process.exit());
}

let listening = false;

function listen(): void {
  if (listening) return;
  listening = true;
  for (const [signal, code] of Object.entries(SIGNALS)) {
    // Once: who asks again while servers are being stopped doesn't want to wait for them.
    process.once(signal, () => void end(code));
  }
}

async function end(code: number): Promise<void> {
  // Whoever is using a server hears that it is gone; that is what was asked for, and must not end the process before the others are stopped.
  process.on('uncaughtException', () => undefined);
  const stopped = await Promise.allSettled([...running].map((stop) => stop()));
  for (const each of stopped) if (each.status === 'rejected') console.error(each.reason);
  process.exit(code);
}
