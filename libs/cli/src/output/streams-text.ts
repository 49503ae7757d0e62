import type { StreamsReport } from '@nestjs-orchestrator/redis';
import { namesText } from './names-text.js';

/** A cluster over Redis Streams, for people. */
export function streamsText(report: StreamsReport): string {
  const { cluster, prefix, partitions, processes, names, occupied, inboxes, deadLetters } = report;
  const owned = occupied.filter(({ owner }) => owner !== undefined).length;
  return [
    `Cluster '${cluster}' under '${prefix}': ${partitions} partitions, ${owned} of them owned.`,
    '',
    `Processes, ${processes.length}:`,
    ...processes.map(
      ({ name, pid, state, leaseLeftMs, serves }) =>
        `  ${name}  pid ${pid}  ${state}, lease ${leaseLeftMs} ms${serves ? `, owns ${owns(report, name)}` : ''}`,
    ),
    '',
    ...namesText(names),
    '',
    ...queuesText(occupied, inboxes),
    ...lettersText(deadLetters),
    '',
  ].join('\n');
}

const owns = ({ occupied }: StreamsReport, process: string): string => {
  const count = occupied.filter(({ owner }) => owner === process).length;
  return count === 1 ? '1 partition' : `${count} partitions`;
};

function queuesText(
  occupied: StreamsReport['occupied'],
  inboxes: StreamsReport['inboxes'],
): readonly string[] {
  const waiting = occupied.filter(({ frames, letters }) => frames + letters > 0);
  if (waiting.length + inboxes.length === 0) return ['Nothing waits, and nothing was given up.'];
  return [
    'Queues:',
    ...waiting.map(
      ({ partition, owner, frames, letters }) =>
        `  partition ${partition}  ${owner === undefined ? 'owned by nobody' : `owned by ${owner}`}  ${frames} frames${letters === 0 ? '' : `, ${letters} given up (dead letters)`}`,
    ),
    ...inboxes.map(({ from, to, frames }) => `  ${from} → ${to}  ${frames} frames`),
  ];
}

function lettersText(letters: StreamsReport['deadLetters']): readonly string[] {
  if (letters.length === 0) return [];
  return [
    '',
    `Dead letters, the ${letters.length === 1 ? 'oldest' : `${letters.length} oldest`}:`,
    ...letters.map(
      ({ letter, name, at, attempts, size, reason }) =>
        `  ${letter}  for ${printable(name)}  ${new Date(at).toISOString()}  ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}  ${size} bytes: ${printable(reason)}`,
    ),
  ];
}

/** Errors may say anything, also to a terminal. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ');
