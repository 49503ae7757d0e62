// npm run test:uneven -- ROUNDS [--seed=N] [--awaits=SHARE|FILE:N,…] [--project=NAME] [PATH…]
// Runs suites on a machine that is made to look busy: answers come late, processes stand still at odd moments, and so many of a hundred `await`s of the
// libs (3) take up to 0.3 s. What fails now and then on a busy machine fails here often. A failing round prints its failures; `--awaits=` with the sites
// that `SLOW_AWAITS_SHOWN=1` names finds the one that it takes. The last line is `N passed, N failed`, in rounds.
//
// A clock that a test moves waits for slow `await`s as it does for other real work. What else is settled by turns of the event loop does not: a failure there
// means something only if what is awaited can take long. `SLOW_SCALE=0.1` makes all of them shorter, for tests in which hours go by.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [rounds = '1', ...rest] = process.argv.slice(2);
const count = Number(rounds);
if (!Number.isSafeInteger(count) || count < 1) throw new Error(`'${rounds}' is no number of rounds.`);
const option = (name) => rest.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const first = Number(option('seed') ?? Date.now() % 1_000_000);
if (!Number.isSafeInteger(first)) throw new Error(`'${option('seed')}' is no seed.`);
const awaits = option('awaits') ?? '3';
const paths = rest.filter((argument) => !argument.startsWith('--'));
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const time = new URL('./uneven/time.mjs', import.meta.url).href;

/** Runs one round; whether it passed, and all that it printed. */
function run(seed) {
  const slowed = awaits.includes(':') ? awaits : `${seed}/${awaits}`;
  return new Promise((resolve, reject) => {
    const options = process.env.NODE_OPTIONS ?? '';
    const child = spawn(
      process.execPath,
      [vitest, 'run', '--project', option('project') ?? 'integration', ...paths],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          NO_COLOR: '1',
          NODE_OPTIONS: `${options} --import ${time}`.trim(),
          UNEVEN_SEED: String(seed),
          ...(awaits === '0' ? {} : { SLOW_AWAITS: slowed }),
        },
      },
    );
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
  if (process.env.SLOW_AWAITS_SHOWN) console.log((output.match(/^slow: .*$/gm) ?? []).join('\n'));
  if (passed) continue;
  failed += 1;
  const at = output.indexOf('Failed Tests');
  console.log(at < 0 ? output : output.slice(at));
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
