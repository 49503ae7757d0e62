import { Option } from 'commander';
import { look, TYPES, type InspectedType } from '../cluster/look.js';
import { CommandError } from '../errors.js';
import type { AddCommand } from './command.js';

interface InspectFlags {
  readonly type: InspectedType;
  readonly directory?: string;
  readonly redis?: string;
  readonly prefix?: string;
  readonly letters?: number;
  readonly json?: true;
}

const HELP = `
The durable machines of a group are a cluster of their own over Redis: CLUSTER/GROUP.

Examples:
  $ orchestrator inspect shop
  $ orchestrator inspect shop --type named-pipe --json
  $ REDIS_URL=redis://localhost orchestrator inspect shop/orders --type distributed --letters 20`;

/** Options that only some types have. */
const OPTIONS: Readonly<Record<InspectedType, readonly (keyof InspectFlags)[]>> = {
  'shared-memory': ['directory'],
  'named-pipe': ['directory'],
  distributed: ['redis', 'prefix', 'letters'],
};

/** `orchestrator inspect`: shows a live cluster. */
export const inspectCommand: AddCommand = (program, around, ended) => {
  program
    .command('inspect')
    .summary('show the processes, names and queues of a cluster')
    .description(
      'Shows who is in a cluster and lives, which names (machines) they hold, and what waits between them as far as that lies outside of their memory. Changes nothing, holds nobody up. Of shared memory and named pipes only clusters of the same user on this computer.',
    )
    .argument('<cluster>', 'name of the cluster')
    .addOption(new Option('-t, --type <type>', 'what joins it').choices([...TYPES]).default('shared-memory'))
    .option('-d, --directory <folder>', 'as `directory` of sharedMemory() and namedPipe()')
    .option('--redis <url>', 'the Redis of a distributed cluster (default: REDIS_URL)')
    .option('--prefix <prefix>', 'as `prefix` of redisStreams() (default: orchestrator)')
    .addOption(
      new Option(
        '--letters <count>',
        'of a distributed cluster: list so many of its oldest dead letters',
      ).argParser(Number),
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', HELP)
    .action(async (cluster: string, { json, ...flags }: InspectFlags) => {
      refuseForeign(flags);
      const { type, redis = around.env['REDIS_URL'] } = flags;
      if (type === 'distributed' && (redis === undefined || redis === ''))
        throw new CommandError('Say where the cluster is: --redis URL, or REDIS_URL.');
      const seen = await look(cluster, { ...flags, redis });
      around.out(json === true ? `${JSON.stringify({ type, ...seen.report })}\n` : seen.text);
      ended(0);
    });
};

/** An option that nothing would read is a mistake. */
function refuseForeign(flags: InspectFlags): void {
  const known = OPTIONS[flags.type];
  for (const option of ['directory', 'redis', 'prefix', 'letters'] as const) {
    if (flags[option] === undefined || known.includes(option)) continue;
    const of = TYPES.filter((type) => OPTIONS[type].includes(option)).join(' and ');
    throw new CommandError(
      `--${option} is for ${of}, and this is ${flags.type}. Leave it out, or name the --type.`,
    );
  }
}
