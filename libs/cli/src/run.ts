import { Command, CommanderError } from 'commander';
import { checkCommand } from './commands/check.js';
import { inspectCommand } from './commands/inspect.js';
import type { ExitCode, Surroundings } from './surroundings.js';

/** Every command: adds itself to the program and tells its exit code when it was run. */
const COMMANDS = [checkCommand, inspectCommand] as const;

/**
 * Runs one command of `orchestrator`. Never rejects: what goes wrong is written to `error`.
 *
 * @param args without the names of the program and the script
 */
export async function run(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = new Command('orchestrator')
    .description('Looks into stores and clusters of NestJS Orchestrator.')
    .exitOverride()
    .configureOutput({ writeOut: around.out, writeErr: around.error })
    .showHelpAfterError('(add --help for what it takes)');
  for (const add of COMMANDS) {
    add(program, around, (end) => {
      code = end;
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // It has said itself what was wrong; help that was asked for is no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    around.error(`${described(error)}\n`);
    return 2;
  }
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reasons: string[] = [];
  // Drivers give several reasons as one, with an empty message.
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const texts = at instanceof AggregateError ? at.errors.map(String) : [at.message];
    reasons.push(...texts.filter((text) => text !== '' && !reasons.some((known) => known.includes(text))));
  }
  return reasons.join(': ') || error.name;
}
