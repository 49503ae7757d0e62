import type { PipeReport } from '@nestjs-orchestrator/transports';
import { namesText } from './names-text.js';

/** A cluster of named pipes, for people. */
export function pipeText({ cluster, folder, processes, names }: PipeReport): string {
  return [
    `Cluster '${cluster}' in ${folder}.`,
    '',
    `Processes, ${processes.length}:`,
    ...processes.map(
      ({ name, pid, state, maxFrameBytes }) =>
        `  ${name}  pid ${pid}  ${state}  frames of up to ${maxFrameBytes} bytes`,
    ),
    '',
    ...namesText(names),
    '',
    'What waits between them is in their memory: stats().cluster of each tells it.',
    '',
  ].join('\n');
}
