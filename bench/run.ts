import { readFileSync } from 'node:fs';
import type { Result } from './measure.js';
import { orchestrator } from './orchestrator.js';
import { resilience } from './resilience.js';
import { saga } from './saga/index.js';
import { statechart } from './statechart.js';
import { transports } from './transports/index.js';

const suites: Readonly<Record<string, () => Iterable<Result> | AsyncIterable<Result>>> = {
  statechart,
  orchestrator,
  resilience,
  saga,
  transports,
};

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const json = process.argv.includes('--json');
const results: Result[] = [];
for (const name of names.length === 0 ? Object.keys(suites) : names) results.push(...(await runSuite(name)));
if (process.argv.includes('--check')) check(results);

async function runSuite(name: string): Promise<Result[]> {
  const suite = suites[name];
  if (suite === undefined)
    throw new Error(`no benchmark '${name}'; there are ${Object.keys(suites).join(', ')}`);
  const found: Result[] = [];
  for await (const result of suite()) {
    console.log(json ? JSON.stringify(result) : sentence(result));
    found.push(result);
  }
  return found;
}

function sentence({ name, ours, peer, peerName, ratio, unit }: Result): string {
  if (Number.isNaN(peer)) return `${name}: ${ours} ${unit}`;
  return `${name}: ${ours} ${unit}, ${peerName} ${peer}, ratio ${ratio}`;
}

/** Ratios only: absolute figures are the machine's. The floors leave room for noise. */
function check(measured: readonly Result[]): void {
  const floors = JSON.parse(readFileSync('bench/floors.json', 'utf8')) as Record<string, number>;
  const missed = measured.filter(({ name, ratio }) => ratio < (floors[name] ?? 0));
  for (const { name, ratio } of missed)
    console.log(`below its floor of ${floors[name]}: ${name}, ratio ${ratio}`);
  console.log(`${measured.length - missed.length} of ${measured.length} ratios at or above their floors`);
  if (missed.length > 0) process.exitCode = 1;
}
