import 'reflect-metadata';
import { start } from '../../../apps/sample/src/startup/start.js';

// The sample, but at the DIE_AT_COMING-th coming to the fault point DIE_AT the process kills itself: nothing of it runs any more.
const { DIE_AT, DIE_AT_COMING } = process.env;
let comings = 0;

await start({
  faults: {
    reach(point) {
      if (point !== DIE_AT || ++comings < Number(DIE_AT_COMING)) return undefined;
      process.kill(process.pid, 'SIGKILL');
      return new Promise<never>(() => {});
    },
  },
});
