import { TransportTypeError } from './cluster/cluster-errors.js';

/** The variable of the environment that picks a transport where the code does not. */
export const TYPE_VARIABLE = 'ORCHESTRATOR_TYPE';
/** The type without a transport. */
export const IN_PROCESS = 'in-process';

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Those of the process, where the runtime has such a thing. The one place of core that looks at them. */
function processEnvironment(): Environment {
  const { process } = globalThis as { readonly process?: { readonly env?: Environment } };
  return process?.env ?? {};
}

/**
 * The type that is meant: the option, else the variable `ORCHESTRATOR_TYPE`, else the only transport that was given, else `in-process`.
 *
 * @throws TransportTypeError
 */
export function transportType(
  wished: string | undefined,
  given: readonly string[],
  environment: Environment = processEnvironment(),
): string {
  const all = [IN_PROCESS, ...given];
  const variable = environment[TYPE_VARIABLE];
  const [type, source] =
    wished !== undefined
      ? [wished, `Option 'type'`]
      : variable !== undefined && variable !== ''
        ? [variable, `Variable '${TYPE_VARIABLE}'`]
        : [given.length > 1 ? '' : (given[0] ?? IN_PROCESS), 'Nobody'];
  if (all.includes(type)) return type;
  throw new TransportTypeError(type, all, source);
}
