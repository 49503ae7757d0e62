// npm run test:repeat -- ROUNDS [--seed=N] [PATH…]
// Runs the suites that need no server (all of them, or those below PATH) so many times, in parallel and in another order each time. A failing
// round prints its output and the command that runs it again. The last line is `N passed, N failed`, in rounds.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [rounds = '10', ...rest] = process.argv.slice(2);
const count = Number(rounds);
if (!Number.isSafeInteger(count) || count < 1) throw new Error(`'${rounds}' is no number of rounds.`);
const paths = rest.filter((argument) => !argument.startsWith('--'));
const given = rest.find((argument) => argument.startsWith('--seed='))?.slice('--seed='.length);
const first = given === undefined ? Date.now() % 1_000_000 : Number(given);
if (!Number.isSafeInteger(first)) throw new Error(`'${given}' is no seed.`);
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

function argumentsOf(seed) {
  return [
    'run',
    '--project',
    'unit',
    '--sequence.shuffle.files',
    '--sequence.shuffle.tests',
    `--sequence.seed=${seed}`,
    ...paths,
  ];
}

/** Runs one round; whether it passed, and all that it printed. */
function run(seed) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, ...argumentsOf(seed)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ passed: code === 0, output }));
  });
}

let failed = 0;
for (let round = 0; round < count; round += 1) {
  const seed = first + round;
  const started = performance.now();
  const { passed, output } = await run(seed);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const line = output.trimEnd().split('\n').at(-1);
  console.log(
    `round ${round + 1} of ${count}, seed ${seed}: ${passed ? 'ok' : 'FAILED'} in ${seconds} s (${line})`,
  );
  if (passed) continue;
  failed += 1;
  console.log(`${output}\nAgain: npx vitest ${argumentsOf(seed).join(' ')}`);
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
