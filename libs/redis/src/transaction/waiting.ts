import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { Clock, WorkKey } from '@nestjs-orchestrator/core/ports';
import type { Hints } from '../notify/hints.js';

/** How often a decision may outlast its time without an end before one gives up. */
const PATIENCE = 3;

/** An answer, or for how many milliseconds at most another transaction is going to decide. */
export type Attempt<T> = { readonly value: T } | { readonly leftMs: number };

/** Asks until there is an answer: each time when a decision was told of, or when that of the other would have run out. */
export async function waitForDecision<T>(
  hints: Hints,
  clock: Pick<Clock, 'schedule'>,
  message: WorkKey,
  ask: () => Promise<Attempt<T>>,
): Promise<T> {
  for (let late = 0; late <= PATIENCE;) {
    const told = nextDecision(hints, clock);
    const attempt = await ask().catch((error: unknown) => {
      told.cancel();
      throw error;
    });
    if ('value' in attempt) {
      told.cancel();
      return attempt.value;
    }
    if (!(await told.within(Math.max(1, attempt.leftMs)))) late += 1;
  }
  throw new StoreUnavailableError(
    `Message '${message.id}' for '${message.destination}' is being decided about by another transaction, which does not end. It is tried again.`,
  );
}

/** The next decision that anybody tells of, from now on. */
function nextDecision(
  hints: Hints,
  clock: Pick<Clock, 'schedule'>,
): { within(ms: number): Promise<boolean>; cancel(): void } {
  let heard: (value: boolean) => void = () => undefined;
  const next = new Promise<boolean>((resolve) => (heard = resolve));
  const cancel = hints.onDecided(() => heard(true));
  const within = async (ms: number): Promise<boolean> => {
    const late = clock.schedule(ms, () => heard(false));
    try {
      return await next;
    } finally {
      late.cancel();
      cancel();
    }
  };
  return { within, cancel };
}
