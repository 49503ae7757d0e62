// npm run simulate -- --seeds 10000 [--from 0]: runs the order application under many seeds; the first that fails is replayed and made smaller.
// npm run simulate -- --replay '<plan>': runs one plan and shows its steps.
import { runPlan, simulate, type SimulationPlan } from '@nestjs-orchestrator/testing';
import { orderScenario } from './orders.js';

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

const replay = option('replay');
if (replay === undefined) {
  const seeds = Number(option('seeds') ?? 10_000);
  const from = Number(option('from') ?? 0);
  const began = performance.now();
  const { steps } = await simulate(orderScenario(), {
    seeds,
    from,
    onProgress: (done, sofar) => console.log(`${done} of ${seeds} seeds, ${sofar} steps`),
  });
  const seconds = (performance.now() - began) / 1_000;
  console.log(`${seeds} seeds from ${from}: all is well, ${steps} steps in ${seconds.toFixed(1)} s`);
} else {
  const { failures, trace } = await runPlan(orderScenario(), JSON.parse(replay) as SimulationPlan, true);
  for (const line of trace) console.log(line);
  console.log(failures.length === 0 ? 'all is well' : failures.join('\n'));
  if (failures.length > 0) process.exitCode = 1;
}
