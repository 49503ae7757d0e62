import { fuzz } from './fuzz.js';

/** `npm run fuzz:statechart -- --seed 1 --machines 20000 [--events 50]` */
function numberOf(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

const started = performance.now();
const report = fuzz({
  seed: numberOf('seed', 1),
  machines: numberOf('machines', 20_000),
  events: numberOf('events', 50),
  lawsEvery: numberOf('laws-every', 10),
  onProgress(machines, events) {
    if (machines % 2_000 === 0) console.log(`${machines} machines, ${events} events, no difference`);
  },
});
const seconds = ((performance.now() - started) / 1000).toFixed(1);
if (report.failure === null) {
  console.log(
    `clean: ${report.machines} machines, ${report.events} events, ${report.refused} configs refused, in ${seconds} s`,
  );
} else {
  const { seed, found, comparison } = report.failure;
  console.log(JSON.stringify({ seed, ...comparison, ...found }, null, 2));
  process.exitCode = 1;
}
