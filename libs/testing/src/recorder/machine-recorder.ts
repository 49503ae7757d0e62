import {
  matches,
  type FailureKind,
  type Machine,
  type Orchestrator,
  type OrchestratorRecord,
  type RecordedMachine,
} from '@nestjs-orchestrator/core';
import { errorText, lineOf, stateText, type RecordedEffect, type RecorderEntry } from './recorded-line.js';
import { RecorderAssertionError } from './recorder-error.js';

type RecordOf<T extends OrchestratorRecord['type']> = Extract<OrchestratorRecord, { type: T }>;

/** Which transitions are meant; all that is given must hold. */
export interface TransitionPattern {
  /** Id of the machine. */
  readonly machine?: string;
  /** Id of its definition. */
  readonly definition?: string;
  /** Type of the event. */
  readonly event?: string;
  /** A state it was in before, as `matches` takes it. */
  readonly from?: string;
  /** A state it is in afterwards. */
  readonly to?: string;
}

/** Which effects are meant; all that is given must hold. */
export interface EffectPattern {
  readonly machine?: string;
  readonly kind?: RecordedEffect['kind'];
  readonly name?: string;
}

/** Which failures are meant; all that is given must hold. */
export interface FailurePattern {
  readonly machine?: string;
  readonly kind?: FailureKind;
  readonly event?: string;
  /** Must occur in the message of the error or of its cause. */
  readonly message?: string | RegExp;
}

/**
 * Keeps what happens to the machines of a group, and says in plain words where it is not what a test expects. Works with any test runner: assertions throw.
 *
 * ```ts
 * const recorder = new MachineRecorder(group);
 * await door.send({ type: 'OPEN' });
 * recorder.expectPath('front', ['shut', 'open']);
 * ```
 */
export class MachineRecorder {
  private readonly kept: RecorderEntry[] = [];
  private readonly definitions = new Map<string, Machine>();
  private readonly unsubscribe: () => void;

  constructor(private readonly orchestrator: Orchestrator) {
    this.unsubscribe = orchestrator.subscribe((record) => this.keep(record));
  }

  /** Everything, in the order in which it came. */
  get entries(): readonly RecorderEntry[] {
    return this.kept;
  }

  transitions(pattern: TransitionPattern = {}): readonly RecordOf<'transition'>[] {
    return this.of('transition').filter(
      ({ machine, event, before, after }) =>
        isOrAny(pattern.machine, machine.id) &&
        isOrAny(pattern.definition, machine.definition) &&
        isOrAny(pattern.event, event.type) &&
        (pattern.from === undefined || matches(before, pattern.from)) &&
        (pattern.to === undefined || matches(after, pattern.to)),
    );
  }

  /** Actions that were called and activities that were started, where they are recorded; see {@link note}. */
  effects(pattern: EffectPattern = {}): readonly RecordedEffect[] {
    return this.kept.filter(
      (entry): entry is RecordedEffect =>
        entry.type === 'effect' &&
        isOrAny(pattern.machine, entry.machine) &&
        isOrAny(pattern.kind, entry.kind) &&
        isOrAny(pattern.name, entry.name),
    );
  }

  failures(pattern: FailurePattern = {}): readonly RecordOf<'failure'>[] {
    return this.of('failure').filter(
      ({ machine, kind, event, error }) =>
        isOrAny(pattern.machine, machine.id) &&
        isOrAny(pattern.kind, kind) &&
        isOrAny(pattern.event, event?.type) &&
        (pattern.message === undefined || says(error, pattern.message)),
    );
  }

  /** States that a machine was in, from its start on; steps that stayed where they were are left out. */
  path(machine: string): readonly string[] {
    const states = this.kept.flatMap((entry) => {
      if (entry.type === 'effect' || !('machine' in entry) || entry.machine.id !== machine) return [];
      const definition = this.definitions.get(entry.machine.definition);
      if (entry.type === 'spawned') return [stateText(definition, entry.snapshot)];
      return entry.type === 'transition' ? [stateText(definition, entry.after)] : [];
    });
    return states.filter((state, index) => state !== states[index - 1]);
  }

  /**
   * Adds an effect to what was recorded. `createOrchestratorTestingModule` does it for the methods of `@Machine()` classes; plain functions call it
   * themselves.
   */
  note(effect: Omit<RecordedEffect, 'type'>): void {
    this.kept.push({ type: 'effect', ...effect });
  }

  /** @throws RecorderAssertionError unless the machine was in these states, one after the other, and in no others */
  expectPath(machine: string, states: readonly string[]): void {
    const path = this.path(machine);
    if (path.length === states.length && path.every((state, index) => state === states[index])) return;
    this.fail(
      `Machine '${machine}' went ${path.join(' → ') || '(nowhere)'}; expected ${states.join(' → ')}.`,
      states,
      path,
    );
  }

  /** @throws RecorderAssertionError unless there was such a transition; with `times`, exactly so many */
  expectTransition(pattern: TransitionPattern, { times }: { readonly times?: number } = {}): void {
    this.expectCount('transition', pattern, this.transitions(pattern).length, times);
  }

  /** @throws RecorderAssertionError if there was such a transition */
  expectNoTransition(pattern: TransitionPattern): void {
    this.expectCount('transition', pattern, this.transitions(pattern).length, 0);
  }

  /** @throws RecorderAssertionError unless there was such an effect; with `times`, exactly so many */
  expectEffect(pattern: EffectPattern, { times }: { readonly times?: number } = {}): void {
    this.expectCount('effect', pattern, this.effects(pattern).length, times);
  }

  /** @throws RecorderAssertionError if there was such an effect */
  expectNoEffect(pattern: EffectPattern): void {
    this.expectCount('effect', pattern, this.effects(pattern).length, 0);
  }

  /** @throws RecorderAssertionError unless there was such a failure; with `times`, exactly so many */
  expectFailure(pattern: FailurePattern = {}, { times }: { readonly times?: number } = {}): void {
    this.expectCount('failure', pattern, this.failures(pattern).length, times);
  }

  /** @throws RecorderAssertionError if anything failed */
  expectNoFailures(): void {
    this.expectCount('failure', {}, this.failures().length, 0);
  }

  /** What was recorded, a line for each entry. */
  describe(): string {
    return this.kept.map((entry) => `  ${this.line(entry)}`).join('\n') || '  (nothing was recorded)';
  }

  /** Forgets what was recorded. */
  clear(): void {
    this.kept.length = 0;
  }

  /** Records nothing more. */
  stop(): void {
    this.unsubscribe();
  }

  private keep(record: OrchestratorRecord): void {
    if ('machine' in record) this.rememberDefinition(record.machine);
    this.kept.push(record);
  }

  private rememberDefinition({ definition, id }: RecordedMachine): void {
    if (!this.definitions.has(definition)) {
      const machine = this.orchestrator.find(id)?.machine;
      if (machine !== undefined) this.definitions.set(definition, machine);
    }
  }

  private of<T extends OrchestratorRecord['type']>(type: T): readonly RecordOf<T>[] {
    return this.kept.filter((entry): entry is RecordOf<T> => entry.type === type);
  }

  private line(entry: RecorderEntry): string {
    return lineOf(entry, (definition) => this.definitions.get(definition));
  }

  private expectCount(what: string, pattern: object, found: number, times: number | undefined): void {
    if (times === undefined ? found > 0 : found === times) return;
    const wanted =
      times === undefined
        ? `${what === 'effect' ? 'an' : 'a'} ${what}`
        : `${times === 0 ? 'no' : times} ${what}${times === 1 ? '' : 's'}`;
    const which = Object.entries(pattern).map(([key, value]) => `${key} ${String(value)}`);
    this.fail(
      `Expected ${wanted}${which.length === 0 ? '' : ` with ${which.join(', ')}`}; found ${found === 0 ? 'none' : found}.`,
      times ?? 'at least 1',
      found,
    );
  }

  private fail(message: string, expected: unknown, actual: unknown): never {
    throw new RecorderAssertionError(`${message}\nRecorded:\n${this.describe()}`, expected, actual);
  }
}

function isOrAny<T>(wanted: T | undefined, found: T | undefined): boolean {
  return wanted === undefined || wanted === found;
}

function says(error: unknown, wanted: string | RegExp): boolean {
  const text = errorText(error);
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
}
