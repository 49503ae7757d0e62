// npm run test:fault -- --rounds 20 --orders 500 --seed 7
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, orders: { type: 'string' }, seed: { type: 'string' } },
});
const chosen = Object.entries({ rounds: '10', ...values }).map(([name, value]) => [
  `FAULT_${name.toUpperCase()}`,
  value,
]);
const { status } = spawnSync(
  'npx',
  ['vitest', 'run', 'test/fault', 'test/transports', 'test/redis/sagas-survive.spec.ts'],
  {
    stdio: 'inherit',
    env: { ...process.env, ...Object.fromEntries(chosen) },
  },
);
process.exitCode = status ?? 1;
