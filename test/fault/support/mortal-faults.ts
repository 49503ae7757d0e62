import type { FaultPoints } from '@nestjs-orchestrator/core/ports';

/** At the DIE_AT_COMING-th coming to the fault point DIE_AT the process kills itself: nothing of it runs any more. */
export function mortalFaults({ DIE_AT, DIE_AT_COMING }: NodeJS.ProcessEnv): FaultPoints {
  let comings = 0;
  return {
    reach(point) {
      if (point !== DIE_AT || ++comings < Number(DIE_AT_COMING)) return undefined;
      process.kill(process.pid, 'SIGKILL');
      return new Promise<never>(() => {});
    },
  };
}
