import {
  isOrchestratorError,
  OrchestratorError,
  type OrchestratorErrorOptions,
} from '../errors/orchestrator-error.js';

const LONGEST_QUOTE = 80;

/** Prints an unknown value in a message: short, and never throwing. */
export function quote(value: unknown): string {
  try {
    return printed(value);
  } catch {
    return 'what can not be read';
  }
}

function printed(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > LONGEST_QUOTE
      ? `'${value.slice(0, LONGEST_QUOTE)}…' (${value.length} characters)`
      : `'${value}'`;
  }
  if (value instanceof Error) return String(value.message);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/** An option breaks its rule. */
export class OrchestratorOptionError extends OrchestratorError {
  readonly code = 'ORCHESTRATOR_OPTION';
  constructor(
    readonly option: string,
    /** What must hold, for example `'must be a whole number of at least 1'`. */
    readonly rule: string,
    readonly value: unknown,
  ) {
    super(`Option '${option}' ${rule}; found ${quote(value)}.`);
  }
}

/** Another copy of this package, with another protocol, has made the orchestrator of this process. */
export class ProtocolMismatchError extends OrchestratorError {
  readonly code = 'ORCHESTRATOR_PROTOCOL';
  constructor(
    /** Protocol of the orchestrator that is there. */
    readonly found: unknown,
    /** Protocol of this copy. */
    readonly expected: number,
  ) {
    super(
      `This process has an orchestrator of protocol ${quote(found)}, made by another copy of @nestjs-orchestrator/core; this copy speaks ${expected}. ` +
        `Install one version only: 'npm ls @nestjs-orchestrator/core' shows who asks for which.`,
    );
  }
}

/** The group was released; nothing can be done in it any more. */
export class GroupReleasedError extends OrchestratorError {
  readonly code = 'GROUP_RELEASED';
  constructor(
    readonly group: string,
    readonly groupId: number,
  ) {
    super(
      `Channel group ${quote(group)} (${groupId}) was released. Make a new one with createChannelGroup().`,
    );
  }
}

/** Another group was addressed that does not exist, is not the only one of its name, or does not allow it. */
export class GroupUnreachableError extends OrchestratorError {
  readonly code = 'GROUP_UNREACHABLE';
  constructor(
    readonly group: string | number,
    readonly from: string,
    readonly reason: 'unknown' | 'ambiguous' | 'not-allowed',
  ) {
    super(
      {
        unknown: `There is no channel group ${quote(group)}.`,
        ambiguous: `Several channel groups are named ${quote(group)}. Address one by its groupId.`,
        'not-allowed': `Channel group ${quote(group)} lets nobody of group ${quote(from)} in. Name it in the reachableFrom of ${quote(group)}.`,
      }[reason],
    );
  }
}

/** Whether a group may be elsewhere: it was not found here, or its name is not clear here. Groups are shared with other copies of this package, whose errors are of other classes. */
export function mayBeElsewhere(error: unknown): boolean {
  if (!isOrchestratorError(error) || error.code !== 'GROUP_UNREACHABLE') return false;
  return (error as GroupUnreachableError).reason !== 'not-allowed';
}

/** No such machine: the definition is not registered, or no machine of that id is at work in the group. */
export class UnknownMachineError extends OrchestratorError {
  readonly code = 'UNKNOWN_MACHINE';
  constructor(
    readonly machine: string,
    readonly group: string,
    readonly kind: 'definition' | 'id',
  ) {
    super(
      kind === 'definition'
        ? `Machine ${quote(machine)} is not registered in channel group ${quote(group)}. Call register() first; for a machine of another process pass the definition: ref(definition, id).`
        : `No machine ${quote(machine)} is at work in channel group ${quote(group)}. It was not spawned, or has ended.`,
    );
  }
}

/** The definition is registered already, or another one of the same id is. */
export class DuplicateMachineError extends OrchestratorError {
  readonly code = 'DUPLICATE_MACHINE';
  constructor(
    readonly machine: string,
    readonly group: string,
  ) {
    super(
      `A machine ${quote(machine)} is registered in channel group ${quote(group)} already. Register it once.`,
    );
  }
}

/** The id is in use in the group. */
export class DuplicateIdError extends OrchestratorError {
  readonly code = 'DUPLICATE_MACHINE_ID';
  constructor(
    readonly id: string,
    readonly group: string,
  ) {
    super(
      `A machine ${quote(id)} is at work in channel group ${quote(group)} already. Choose another id, or stop it first.`,
    );
  }
}

/** The id can't be one. */
export class MachineIdError extends OrchestratorError {
  readonly code = 'MACHINE_ID';
  constructor(readonly id: unknown) {
    super(
      `${quote(id)} can't be the id of a machine: it must be a text of 1 to 256 characters without '#' and halves of characters (lone surrogates).`,
    );
  }
}

/** Names that the definition uses and nobody bound. */
export class UnboundNamesError extends OrchestratorError {
  readonly code = 'UNBOUND_NAMES';
  constructor(
    readonly machine: string,
    /** `kind 'name' (path)`, one for each. */
    readonly names: readonly { readonly kind: string; readonly name: string; readonly path: string }[],
  ) {
    super(
      `Machine ${quote(machine)} uses ${names.length} name${names.length === 1 ? '' : 's'} that nobody bound:\n` +
        names.map(({ kind, name, path }) => `  ${kind} ${quote(name)} at ${path}`).join('\n') +
        '\nPass them to register() or defineMachine().',
    );
  }
}

/** Something stands for a name that can't be run here, such as actor logic of xstate. */
export class UnsupportedLogicError extends OrchestratorError {
  readonly code = 'UNSUPPORTED_LOGIC';
  constructor(
    readonly machine: string,
    /** The name that stands for it. */
    readonly logic: string,
    /** What must hold. */
    readonly rule: string,
  ) {
    super(`Machine ${quote(machine)}: ${quote(logic)} ${rule}.`);
  }
}

/** Something that is no event was sent. */
export class EventInvalidError extends OrchestratorError {
  readonly code = 'EVENT_INVALID';
  constructor(
    readonly machine: string,
    readonly found: string,
  ) {
    super(
      `Machine ${quote(machine)} was sent ${found}. An event is an object with a non-empty text 'type'; types that begin with 'xstate.' are the engine's own, '*' is a wildcard.`,
    );
  }
}

/** An event holds itself, or too much. */
export class EventPayloadError extends OrchestratorError {
  readonly code = 'EVENT_PAYLOAD';
  constructor(
    readonly event: string,
    /** Where in the event, for example `event.order.items`. */
    readonly path: string,
    readonly reason: 'cycle' | 'too-deep' | 'too-large',
  ) {
    super(
      `Event ${quote(event)}: ${path} ${{ cycle: 'refers to one of its own ancestors', 'too-deep': 'is nested too deeply', 'too-large': 'holds too many values' }[reason]}. Send plain data, and only what is needed.`,
    );
  }
}

/** The machine has ended. */
export class MachineStoppedError extends OrchestratorError {
  readonly code = 'MACHINE_STOPPED';
  constructor(
    readonly machine: string,
    /** `done`, `error`, `stopped`, `parent`, `released` or `displaced`. */
    readonly reason: string,
  ) {
    super(`Machine ${quote(machine)} has ended (${reason}) and takes no events. Spawn another one.`);
  }
}

/** The machine's first step was not adopted yet. */
export class MachineStartingError extends OrchestratorError {
  readonly code = 'MACHINE_STARTING';
  override readonly retryable = true;
  constructor(readonly machine: string) {
    super(`Machine ${quote(machine)} is still starting and has no state yet. Await spawn(), or waitFor().`);
  }
}

/** A step failed, and nothing of it was adopted: the machine is where it was. `cause` is what was thrown. */
export class StepError extends OrchestratorError {
  readonly code: string = 'STEP_FAILED';
  constructor(
    readonly machine: string,
    readonly event: string,
    /** The action that threw; undefined where a guard, an `assign` or an expression did. */
    readonly action: string | undefined,
    options: OrchestratorErrorOptions,
  ) {
    super(
      `Machine ${quote(machine)} failed on event ${quote(event)}${action === undefined ? '' : ` in action ${quote(action)}`}: ${quote(options.cause)}. It stays in its last state.`,
      options,
    );
  }
}

/** An action did not settle in time; its signal was aborted, and what it does later is ignored. */
export class ActionTimeoutError extends OrchestratorError {
  readonly code = 'ACTION_TIMEOUT';
  constructor(
    readonly action: string,
    readonly timeoutMs: number,
  ) {
    super(
      `Action ${quote(action)} did not settle within ${timeoutMs} ms. Heed ctx.signal, make it an activity, or raise actionTimeoutMs.`,
    );
  }
}

/** Something was asked of the context of an action or activity that is over. */
export class StepEndedError extends OrchestratorError {
  readonly code = 'STEP_ENDED';
  constructor(
    readonly verb: string,
    readonly machine: string,
  ) {
    super(
      `ctx.${verb}() of machine ${quote(machine)} was called after its step had ended. Await everything that the action starts.`,
    );
  }
}

/** A ceiling would be passed. Whoever sends so much has to be slowed down. */
export class CeilingError extends OrchestratorError {
  readonly code = 'QUEUE_CEILING';
  override readonly retryable = true;
  constructor(
    /** Name of the option that sets it. */
    readonly limit: string,
    readonly most: number,
    readonly where: string,
  ) {
    super(
      `${where} has reached its ceiling '${limit}' of ${most}. Slow its senders down, or raise the ceiling.`,
    );
  }
}

/** The time of a request was over. */
export class RequestTimeoutError extends OrchestratorError {
  readonly code = 'REQUEST_TIMEOUT';
  override readonly retryable = true;
  constructor(
    readonly machine: string,
    readonly event: string,
    readonly timeoutMs: number,
    /** The event was still queued and never will be handled; `false`: its step is under way, or it is in another process, and may yet be adopted. */
    readonly withdrawn: boolean,
  ) {
    super(
      `Machine ${quote(machine)} did not answer ${quote(event)} within ${timeoutMs} ms; the event ${withdrawn ? 'was withdrawn' : 'may still be handled'}.`,
    );
  }
}

/** A request would have waited for itself. */
export class RequestCycleError extends OrchestratorError {
  readonly code = 'REQUEST_CYCLE';
  constructor(
    /** Ids of the machines in the circle, beginning with the one that asked. */
    readonly chain: readonly string[],
  ) {
    super(
      `The request would wait for itself: ${chain.map(quote).join(' → ')}. Send an event, or ask from an activity.`,
    );
  }
}

/** A state was waited for too long. */
export class WaitTimeoutError extends OrchestratorError {
  readonly code = 'WAIT_TIMEOUT';
  override readonly retryable = true;
  constructor(
    readonly machine: string,
    readonly waitedFor: string,
    readonly timeoutMs: number,
  ) {
    super(`Machine ${quote(machine)} was not in ${waitedFor} within ${timeoutMs} ms.`);
  }
}

/** A group did not come to rest in time. */
export class DrainTimeoutError extends OrchestratorError {
  readonly code = 'DRAIN_TIMEOUT';
  override readonly retryable = true;
  constructor(
    readonly group: string,
    readonly timeoutMs: number,
    readonly queued: number,
    readonly running: number,
  ) {
    super(
      `Channel group ${quote(group)} has ${queued} events queued and ${running} actions under way after ${timeoutMs} ms.`,
    );
  }
}
