import type { ChannelGroup } from '@nestjs-orchestrator/nest';

/** Taken when the module loads, so that a runner's fake timers don't stop it. */
const { setImmediate: nextTurn } = globalThis;

/** Gives the machines turns until none of them takes a step any more. A step that waits for virtual time holds nobody up. */
export async function settleGroups(
  groups: readonly (ChannelGroup & { readonly isOpen: boolean })[],
): Promise<void> {
  const open = groups.filter(({ isOpen, released }) => isOpen && !released);
  const steps = (): number =>
    open.reduce((sum, group) => {
      const { processed, failed } = group.stats();
      return sum + processed + failed;
    }, 0);
  let before: number;
  do {
    before = steps();
    await Promise.all(open.map((group) => group.settled()));
    await new Promise<void>((resolve) => nextTurn(() => resolve()));
  } while (steps() !== before);
}
