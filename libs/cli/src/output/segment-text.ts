import type { SegmentReport } from '@nestjs-orchestrator/transports';
import { namesText } from './names-text.js';

/** A cluster's shared memory, for people. */
export function segmentText(report: SegmentReport): string {
  const { cluster, segment, maxEndpoints, maxNames, laneBytes, createdAt, processes, names, lanes } = report;
  const since = new Date(createdAt).toISOString();
  return [
    `Cluster '${cluster}' in ${segment}, since ${since}: lanes of ${laneBytes} bytes.`,
    '',
    `Processes, ${processes.length} of ${maxEndpoints}:`,
    ...processes.map(
      ({ slot, name, pid, state, isAsleep, beats }) =>
        `  ${slot}  ${name}  pid ${pid}  ${state}${isAsleep ? ', asleep' : ''}  ${beats} beats`,
    ),
    '',
    ...namesText(names, maxNames),
    '',
    lanes.length === 0 ? 'All lanes are empty.' : 'Lanes:',
    ...lanes.map(
      ({ from, to, bytes, isRoomWanted }) =>
        `  ${from} → ${to}  ${bytes} bytes${isRoomWanted ? ', its sender waits for room' : ''}`,
    ),
    '',
  ].join('\n');
}
