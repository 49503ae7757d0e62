import { CommandError } from '../errors.js';
import { segmentText } from '../output/segment-text.js';
import { wanted } from '../wanted.js';
import type { AddCommand } from './command.js';

interface InspectFlags {
  readonly directory?: string;
  readonly json?: true;
}

/** `orchestrator inspect`: shows the live shared memory of a cluster. */
export const inspectCommand: AddCommand = (program, around, ended) => {
  program
    .command('inspect')
    .summary('show the processes, names and lanes of a cluster in shared memory')
    .description(
      'Shows who is in the shared memory of a cluster, which names they hold and what waits in the lanes between them. Changes nothing, holds nobody up. Only clusters of the same user on this computer.',
    )
    .argument('<cluster>', 'name of the cluster')
    .option('-d, --directory <folder>', 'as `directory` of sharedMemory()')
    .option('--json', 'print it as JSON')
    .action(async (cluster: string, { directory, json }: InspectFlags) => {
      const { inspectSegment } = await wanted(
        '@nestjs-orchestrator/transports',
        () => import('@nestjs-orchestrator/transports'),
      );
      const report = await inspectSegment(cluster, directory === undefined ? {} : { directory });
      if (report === undefined) {
        throw new CommandError(
          `This user has no cluster '${cluster}' in shared memory. It is there as long as one of its processes lives.`,
        );
      }
      around.out(json === true ? `${JSON.stringify(report)}\n` : segmentText(report));
      ended(0);
    });
};
