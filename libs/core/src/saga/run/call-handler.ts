import type { Clock } from '../../ports/clock.js';
import type { CompiledHandler, CompiledSaga } from '../compile/compiled-saga.js';
import type { InvokeOptions } from '../activity/activity-types.js';
import type { CompensateOptions, SagaContext } from '../contexts.js';
import { HandlerError } from '../../handling/handler-errors.js';
import { timedCall, type SignalSource } from '../../handling/timed-call.js';
import type { Duration } from '../../message/duration.js';
import type { SagaRecording } from './saga-recording.js';

/** What handlers of one message see, whichever of them runs. */
export interface HandlerScene {
  readonly saga: CompiledSaga;
  readonly id: string;
  readonly tenant: string;
  readonly messageId: string;
  /** The message instance, frozen; `undefined` for timers. */
  readonly event: unknown;
  /** What `ctx.now()` answers. */
  readonly instant: number;
  readonly recording: SagaRecording;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** What one handler has decided. */
export interface HandlerOutcome {
  readonly data: unknown;
  /** The target that it returned, if that is its to decide. */
  readonly target: string | undefined;
}

/** Runs one handler on the draft of the saga's data. */
export async function callHandler(
  scene: HandlerScene,
  handler: CompiledHandler,
  draft: unknown,
): Promise<HandlerOutcome> {
  const { run, leaves } = handler;
  if (leaves !== undefined) scene.recording.left.add(leaves);
  if (run === undefined) return { data: draft, target: undefined };
  const { recording } = scene;
  const ctx = new HandlerContext(scene, draft);
  recording.begin(handler.label);
  try {
    const result = await timedCall(scene.clock, handler.label, scene.timeoutMs, (signal) => {
      ctx.open(signal);
      return run(ctx as never);
    });
    if (handler.starts) return { data: initialData(handler, result), target: undefined };
    return { data: ctx.data, target: targetOf(handler, result) };
  } finally {
    recording.end();
  }
}

type Verbs = SagaContext<unknown, unknown, unknown>;

class HandlerContext implements SagaContext<unknown, unknown, Record<string, unknown>> {
  readonly #scene: HandlerScene;
  #signal: SignalSource | undefined;

  constructor(
    scene: HandlerScene,
    public data: unknown,
  ) {
    this.#scene = scene;
  }

  open(signal: SignalSource): void {
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    return (this.#signal as SignalSource)();
  }
  get id(): string {
    return this.#scene.id;
  }
  get tenant(): string {
    return this.#scene.tenant;
  }
  get messageId(): string {
    return this.#scene.messageId;
  }
  get event(): unknown {
    return this.#scene.event;
  }
  // Verbs are made when they are asked for, since a handler uses few of them; taken out of the context they still know it.
  get send(): Verbs['send'] {
    return (command, options) => this.#scene.recording.add('send', command, options);
  }
  get publish(): Verbs['publish'] {
    return (event, options) => this.#scene.recording.add('publish', event, options);
  }
  get reply(): (message: object) => void {
    return (message) => this.#scene.recording.reply(message);
  }
  get compensateWith(): (name: string, input: unknown, options?: CompensateOptions) => void {
    const { recording, saga } = this.#scene;
    return (name, input, options = {}) =>
      recording.compensate(saga.definition.compensations, name, input, options.scope);
  }
  get invoke(): (name: string, input: unknown, options?: InvokeOptions<Record<string, unknown>>) => void {
    return (name, input, options) => this.#scene.recording.invoke(name, input, options);
  }
  get pivot(): () => void {
    return () => this.#scene.recording.pivot();
  }
  get schedule(): (name: string, delay: Duration | number) => void {
    return (name, delay) => this.#scene.recording.schedule(name, delay);
  }
  get unschedule(): (name: string) => void {
    return (name) => this.#scene.recording.schedule(name, null);
  }
  get correlateWith(): (key: string, value: string) => void {
    return (key, value) => this.#scene.recording.correlate(key, value);
  }
  get now(): () => number {
    return () => this.#scene.instant;
  }
  get uuid(): () => string {
    return () => this.#scene.recording.uuid();
  }
  get random(): () => number {
    return () => this.#scene.recording.random();
  }
}

function initialData(handler: CompiledHandler, result: unknown): unknown {
  if (typeof result === 'object' && result !== null) return result;
  throw new HandlerError(
    `${handler.label} starts the saga and must return its whole initial data, an object; it returned ${shown(result)}.`,
  );
}

function targetOf(handler: CompiledHandler, result: unknown): string | undefined {
  const { targets } = handler;
  if (targets === undefined) {
    if (result === undefined) return undefined;
    throw new HandlerError(
      `${handler.label} returned ${shown(result)}, but its target is fixed. Return nothing, or declare to: [ … ] with all targets.`,
    );
  }
  if (typeof result === 'string' && targets.includes(result)) return result;
  throw new HandlerError(
    `${handler.label} must return one of ${targets.join(', ')}; it returned ${String(result)}.`,
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : typeof value;
}
