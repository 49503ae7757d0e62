import { readChart } from './definition/read-chart.js';
import type { Chart } from './chart/chart.js';
import { type BoundNames, type CallWatch, Runtime } from './engine/runtime.js';
import { INLINE_FUNCTION } from './engine/bind-enqueue.js';
import { text } from './errors.js';
import type { Effect } from './types.js';
import type { CheckMachine } from './typing/check-config.js';
import type { NamesOf } from './typing/infer.js';

/**
 * Names a config may use, with what they stand for. A list only declares: then every name in the config must be on it, and functions
 * come by `provide`. Actions may stay unbound: they come out as effects.
 */
export interface Implementations {
  readonly actions?: Readonly<Record<string, unknown>> | readonly string[];
  readonly guards?: Readonly<Record<string, unknown>> | readonly string[];
  readonly actors?: Readonly<Record<string, unknown>> | readonly string[];
  /** Milliseconds, or functions of `{ context, event }` that return them. */
  readonly delays?: Readonly<Record<string, unknown>> | readonly string[];
  /** Event types that may stand in `on`. */
  readonly events?: readonly string[];
}

/** What is bound, by kind and name. */
export interface BoundImplementations {
  readonly actions: Readonly<Record<string, unknown>>;
  readonly guards: Readonly<Record<string, unknown>>;
  readonly actors: Readonly<Record<string, unknown>>;
  readonly delays: Readonly<Record<string, unknown>>;
}

/** A compiled machine. Immutable; make one per definition, not one per instance. */
export interface Machine<C = unknown> {
  readonly id: string;
  readonly version: string | undefined;
  /** The config as it was given. */
  readonly config: C;
  /** What is bound, inline functions included (these by their path). */
  readonly implementations: BoundImplementations;
}

/**
 * Compiles a machine config: XState v5 JSON or code, or a machine made by XState's `createMachine` or `setup`.
 *
 * @throws MachineDefinitionError with every fault of the config.
 */
export function defineMachine<const C, const I extends Implementations = Record<never, never>>(
  config: C & CheckMachine<C, NamesOf<I>>,
  implementations?: I,
): Machine<C> {
  const source = sourceOf(config);
  const chart = readChart(source.config, implementations ?? {});
  return machineOf(
    source.config as C,
    chart,
    merge(inlineOf(chart), source.implementations, implementations ?? {}),
  );
}

/** The same machine with more names bound; what is given here goes before what was bound already. */
export function provide<C>(machine: Machine<C>, implementations: Implementations): Machine<C> {
  const { chart } = runtimeOf(machine);
  return machineOf(machine.config, chart, merge(machine.implementations, implementations));
}

/** The function behind an action: bound by name, or written inline in the config. undefined: none. */
export function actionOf(machine: Machine, action: string | Extract<Effect, { type: 'action' }>): unknown {
  if (typeof action !== 'string' && INLINE_FUNCTION in action) return action[INLINE_FUNCTION];
  const name = typeof action === 'string' ? action : action.name;
  return runtimeOf(machine).implementations.actions.get(name);
}

/**
 * Runs `work`, and tells `watch` of each function of the machine that transitions in it call: for runners that look for those that take long. The engine itself
 * knows no time.
 */
export function watchCalls<T>(machine: Machine, watch: CallWatch, work: () => T): T {
  const runtime = runtimeOf(machine);
  const outer = runtime.watch;
  runtime.watch = watch;
  try {
    return work();
  } finally {
    runtime.watch = outer;
  }
}

/** @internal */
export function runtimeOf(machine: Machine): Runtime {
  return CompiledMachine.runtimeOf(machine);
}

/** Keeps the runtime where no config, spread or printout reaches it. */
class CompiledMachine<C> implements Machine<C> {
  readonly id: string;
  readonly version: string | undefined;
  readonly #runtime: Runtime;

  constructor(
    readonly config: C,
    readonly implementations: BoundImplementations,
    runtime: Runtime,
  ) {
    this.id = runtime.chart.id;
    this.version = runtime.chart.version;
    this.#runtime = runtime;
    Object.freeze(this);
  }

  static runtimeOf(machine: Machine): Runtime {
    if (typeof machine !== 'object' || machine === null || !(#runtime in machine)) {
      throw new TypeError(`${text(machine)} is no machine; make one with defineMachine().`);
    }
    return machine.#runtime;
  }
}

function machineOf<C>(config: C, chart: Chart, implementations: BoundImplementations): Machine<C> {
  return new CompiledMachine(config, implementations, new Runtime(chart, mapsOf(implementations)));
}

/** A machine object of XState carries its config and implementations. */
function sourceOf(config: unknown): { config: unknown; implementations: Implementations } {
  const machine = config as {
    __xstatenode?: unknown;
    config?: unknown;
    implementations?: Implementations;
  } | null;
  if (typeof machine !== 'object' || machine === null || machine.__xstatenode !== true)
    return { config, implementations: {} };
  return { config: machine.config, implementations: machine.implementations ?? {} };
}

function inlineOf(chart: Chart): Implementations {
  return { actions: Object.fromEntries(chart.inlineActions), actors: Object.fromEntries(chart.inlineActors) };
}

function merge(...parts: readonly Implementations[]): BoundImplementations {
  const of = (kind: keyof BoundImplementations): Record<string, unknown> =>
    Object.fromEntries(parts.flatMap((part) => Object.entries(recordOf(part[kind]))));
  return { actions: of('actions'), guards: of('guards'), actors: of('actors'), delays: of('delays') };
}

function recordOf(names: Readonly<Record<string, unknown>> | readonly string[] | undefined): object {
  return names === undefined || Array.isArray(names) ? {} : names;
}

function mapsOf(implementations: BoundImplementations): BoundNames {
  const of = (kind: keyof BoundImplementations): Map<string, unknown> =>
    new Map(Object.entries(implementations[kind]));
  return { actions: of('actions'), guards: of('guards'), actors: of('actors'), delays: of('delays') };
}
