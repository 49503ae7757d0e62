// npm run test:fault -- --rounds 20 --orders 500 --seed 7
// npm run test:fault -- postgres-dies sagas-survive --rounds 1 --down 60
// npm run test:fault -- kill-errands --rounds 20 --points activity.done,undo.done
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    orders: { type: 'string' },
    seed: { type: 'string' },
    points: { type: 'string' },
    down: { type: 'string' },
  },
});
const chosen = Object.entries({ rounds: '10', ...values }).map(([name, value]) => [
  `FAULT_${name.toUpperCase()}`,
  value,
]);
const everything = ['test/fault', 'test/transports', 'test/redis/sagas-survive.spec.ts'];
const { status } = spawnSync(
  'npx',
  ['vitest', 'run', ...(positionals.length > 0 ? positionals : everything)],
  {
    stdio: 'inherit',
    env: { ...process.env, ...Object.fromEntries(chosen) },
  },
);
process.exitCode = status ?? 1;
