/** What the command line chooses. */

/** Events of the pair are the median of so many takes; of the grid everything is that of so many rounds. */
export const ROUNDS = number('rounds', 3);
/** How long events are sent for a figure of the pair. */
export const MILLISECONDS = number('milliseconds', 1_500);
/** Of each size to each number of receivers, where a round takes five of them. */
export const GRID_MILLISECONDS = number('grid-milliseconds', 150);
/** `pair`: one size between two processes, and idling; `grid`: every size to every number of receivers. */
export const PARTS = list('parts', ['pair', 'grid']);
/** Bytes of an event's JSON. */
export const SIZES = list('sizes', ['100', '1000', '64000']).map(Number);
/** Processes that receive. */
export const RECEIVERS = list('receivers', ['1', '4', '8']).map(Number);
/** `named-pipe,tcp` takes part of the field; `orchestrator/named-pipe` one interface of a carrier. */
export const ONLY = list('only', []);
/** `orchestrator,ipc` takes part of the interfaces. */
export const FACES = list('faces', []);

function argument(name: string): string | undefined {
  return process.argv.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3);
}

function number(name: string, fallback: number): number {
  const value = Number(argument(name) ?? fallback);
  if (value > 0) return value;
  throw new Error(`--${name}=${argument(name)} is no number above 0`);
}

function list(name: string, fallback: readonly string[]): readonly string[] {
  return argument(name)?.split(',') ?? fallback;
}
