import {
  DuplicateDestinationError,
  handlerDestination,
  NoRouteError,
  remoteDestination,
  Routes,
  sagaDestination,
} from '../bus/routes.js';
import type { RemoteRoute } from '../bus/remote/remote-consumer.js';
import type { MessageHandler } from '../bus/message-context.js';
import type { MessageType } from '../message/message.js';
import { OrchestratorError } from '../errors/orchestrator-error.js';
import { compileSaga } from '../saga/compile/compile-saga.js';
import type { CompiledSaga } from '../saga/compile/compiled-saga.js';
import type { SagaBehaviour } from '../saga/behaviour.js';
import { SagaDefinitionError, type DefinitionFault } from '../saga/saga-errors.js';
import { keyOf } from '../saga/run/correlation.js';

/** Two definitions of one (name, version). */
export class DuplicateSagaError extends OrchestratorError {
  readonly code = 'DUPLICATE_SAGA';
  constructor(
    readonly saga: string,
    readonly version: number,
    first: string,
    second: string,
  ) {
    super(
      `Saga '${saga}' version ${version} is defined twice: by ${first} and by ${second}. ` +
        `Give the newer behaviour the next version; instances stay on the version they started with.`,
    );
  }
}

/** Sagas and handlers of one node, and who answers which message. */
export class Registry {
  readonly routes = new Routes();
  private readonly sagas = new Map<string, Map<number, CompiledSaga>>();
  private readonly highest = new Map<string, CompiledSaga>();
  private readonly handlers = new Map<string, MessageHandler>();
  private readonly remotes = new Set<string>();

  addSaga(behaviour: SagaBehaviour, compiled?: CompiledSaga): CompiledSaga {
    const { name, version } = behaviour.definition;
    const versions = this.sagas.get(name) ?? new Map<number, CompiledSaga>();
    const other = versions.get(version);
    if (other !== undefined)
      throw new DuplicateSagaError(name, version, other.behaviour.label, behaviour.label);
    const saga = compiled ?? compileSaga(behaviour);
    versions.set(version, saga);
    this.sagas.set(name, versions);
    if (version >= (this.highest.get(name)?.definition.version ?? version)) this.highest.set(name, saga);
    for (const message of behaviour.definition.events.keys()) this.routes.add(message, sagaDestination(name));
    return saga;
  }

  addRemote({ name, messages }: RemoteRoute): void {
    if (this.remotes.has(name))
      throw new DuplicateDestinationError(
        `Two remote routes are called '${name}', which is part of stored rows. Give one of them another name.`,
      );
    this.remotes.add(name);
    for (const message of messages) this.routes.add(message, remoteDestination(name));
  }

  addHandler(handler: MessageHandler): void {
    const other = this.handlers.get(handler.name);
    if (other !== undefined) {
      throw new DuplicateDestinationError(
        `Two handlers are called '${handler.name}', for '${other.message.messageName}' and '${handler.message.messageName}'. ` +
          `Names are part of stored rows: give one of them another with @Handles(Message, { name: '…' }).`,
      );
    }
    const { concurrency = 1 } = handler;
    if (!Number.isInteger(concurrency) || concurrency < 1)
      throw new TypeError(
        `Option 'concurrency' of handler '${handler.name}' must be a positive whole number, found ${String(concurrency)}.`,
      );
    this.handlers.set(handler.name, handler);
    this.routes.add(handler.message.messageName, handlerDestination(handler.name));
  }

  get sagaNames(): readonly string[] {
    return [...this.sagas.keys()];
  }

  /** The versions of one saga; the highest starts new instances. */
  versions(saga: string): ReadonlyMap<number, CompiledSaga> {
    return this.sagas.get(saga) ?? new Map<number, CompiledSaga>();
  }

  /** All versions of all sagas. */
  get behaviours(): readonly SagaBehaviour[] {
    return [...this.sagas.values()].flatMap((versions) =>
      [...versions.values()].map((saga) => saga.behaviour),
    );
  }

  /** As {@link latest}; `undefined`: this node does not have it. */
  find(saga: string): CompiledSaga | undefined {
    return this.sagas.has(saga) ? this.latest(saga) : undefined;
  }

  /** The highest version of the saga whose messages go to a destination. */
  sagaAt(destination: string): CompiledSaga | undefined {
    for (const [name, saga] of this.highest) if (sagaDestination(name) === destination) return saga;
    return undefined;
  }

  latest(saga: string): CompiledSaga {
    return this.highest.get(saga) as CompiledSaga;
  }

  /**
   * Checks that each command which a saga says it sends has exactly one handler.
   *
   * @throws SagaDefinitionError
   */
  checkSends(): void {
    for (const { definition } of [...this.sagas.values()].flatMap((versions) => [...versions.values()])) {
      const names: readonly string[] = [...(definition.sends?.keys() ?? [])];
      const faults = names.flatMap((name) => this.routeFaults(name));
      if (faults.length > 0) throw new SagaDefinitionError(definition.name, faults);
    }
  }

  private routeFaults(command: string): readonly DefinitionFault[] {
    try {
      this.routes.handler(command);
      return [];
    } catch (error) {
      if (!(error instanceof NoRouteError)) throw error;
      return [{ path: `sends.${command}`, message: error.message }];
    }
  }

  /** Throws if a saga that answers the message can't tell which instance it is for. */
  checkKeys = (type: MessageType, body: object): void => {
    for (const { definition } of this.highest.values()) {
      if (definition.events.has(type.messageName)) keyOf(definition, type.messageName, body);
    }
  };
}
