const MARK = Symbol.for('@nestjs-orchestrator/statechart.error');

/** One thing wrong with a machine config: where, what stands there, and what should. */
export interface DefinitionFault {
  /** Path of the faulty value, from the machine's id: `order.states.paid.on.SHIP.target`. */
  readonly path: string;
  /** The value found, printed so that a person can recognise it. */
  readonly found: string;
  /** What would have been right. */
  readonly expected: string;
}

/** Base of every error this engine throws. `code` is stable; none is worth a retry, the same input fails again. */
export class StatechartError extends Error {
  readonly code: string;
  readonly retryable = false;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    Object.defineProperty(this, MARK, { value: true });
  }
}

/** Is `value` an error of this engine? Holds across copies of the package, where `instanceof` does not. */
export function isStatechartError(value: unknown): value is StatechartError {
  return typeof value === 'object' && value !== null && MARK in value;
}

/** A config that is no machine. Lists every fault at once. */
export class MachineDefinitionError extends StatechartError {
  constructor(
    readonly machine: string,
    readonly faults: readonly DefinitionFault[],
  ) {
    super(
      'STATECHART_DEFINITION',
      `Machine '${machine}' has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n` +
        faults.map((fault) => `  ${fault.path}: found ${fault.found}, expected ${fault.expected}`).join('\n'),
    );
  }
}

/** A guard, delay or actor that the config names and nobody bound. */
export class UnboundNameError extends StatechartError {
  constructor(
    readonly kind: 'guard' | 'delay' | 'actor' | 'action',
    readonly missing: string,
    readonly path: string,
  ) {
    super(
      'STATECHART_UNBOUND_NAME',
      `The ${kind} '${missing}' used at ${path} is not bound. Pass it to defineMachine or provide({ ${kind}s: { '${missing}': … } }).`,
    );
  }
}

/** A guard threw. The snapshot that was asked stays valid. */
export class GuardError extends StatechartError {
  constructor(
    readonly path: string,
    readonly event: string,
    cause: unknown,
  ) {
    super(
      'STATECHART_GUARD',
      `The guard at ${path} threw on event '${event}': ${text(cause)}. A guard must return a boolean.`,
      cause,
    );
  }
}

/** An `assign`, a params, input, output or event expression threw. The previous snapshot stays valid. */
export class ExpressionError extends StatechartError {
  constructor(
    readonly path: string,
    readonly event: string,
    cause: unknown,
  ) {
    super(
      'STATECHART_EXPRESSION',
      `The expression at ${path} threw on event '${event}': ${text(cause)}.`,
      cause,
    );
  }
}

/** `always` or raised events went round in a circle. */
export class MicrostepLimitError extends StatechartError {
  constructor(
    readonly machine: string,
    readonly limit: number,
    readonly states: readonly string[],
  ) {
    super(
      'STATECHART_MICROSTEP_LIMIT',
      `Machine '${machine}' took ${limit} microsteps without coming to rest; it is in ${states.join(', ')}. ` +
        `Look for eventless transitions or raised events that lead back to themselves, or raise options.maxIterations.`,
    );
  }
}

/** Something that is no event was sent. */
export class InvalidEventError extends StatechartError {
  constructor(
    readonly machine: string,
    found: string,
  ) {
    super(
      'STATECHART_INVALID_EVENT',
      `Machine '${machine}' was sent ${found}; an event is an object with a non-empty string 'type' other than '*'.`,
    );
  }
}

/** A delay that is no number of milliseconds. */
export class InvalidDelayError extends StatechartError {
  constructor(
    readonly path: string,
    readonly found: string,
  ) {
    super(
      'STATECHART_INVALID_DELAY',
      `The delay at ${path} is ${found}; a delay is a finite number of milliseconds, 0 or more.`,
    );
  }
}

/** A snapshot that does not belong to this machine, or was written by a definition with other states. */
export class SnapshotError extends StatechartError {
  constructor(
    readonly machine: string,
    readonly found: string,
    advice: string,
  ) {
    super('STATECHART_SNAPSHOT', `Machine '${machine}' was given a snapshot with ${found}. ${advice}`);
  }
}

/** Prints an unknown value in a message: short, and never throwing. */
export function text(value: unknown): string {
  try {
    return printed(value);
  } catch {
    return 'what can not be read';
  }
}

function printed(value: unknown): string {
  if (value instanceof Error) return String(value.message);
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 77)}…` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return `an object with ${keysOf(value)}`;
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

function keysOf(value: object): string {
  const keys = Object.keys(value).slice(0, 5);
  return keys.length === 0 ? 'no keys' : `keys ${keys.map((key) => `'${key}'`).join(', ')}`;
}

/** A document that is no SCXML, or needs what the caller did not bring. */
export class ScxmlError extends StatechartError {
  constructor(problem: string) {
    super('STATECHART_SCXML', `The SCXML document cannot be used: ${problem}.`);
  }
}
